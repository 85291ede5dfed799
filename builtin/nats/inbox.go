package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// errNoStream is JetStream's silence: nobody listens on the subject.
var errNoStream = errors.New("no stream takes the subject")

// errSilent is a server that is there and doesn't answer.
var errSilent = fmt.Errorf("no answer within %v", patience)

// answer is what became of one message: where it is stored, or err. Both nil:
// nothing is known.
type answer struct {
	ack *jetstream.PubAck
	err error
}

// inbox takes JetStream's answers to one session's messages.
type inbox struct {
	prefix string

	mu   sync.Mutex
	base uint64 // number of the first message of answers
	wait int    // how many of answers are open
	list []answer
	news chan struct{} // a new answer, or an end
	end  error
}

func newInbox() *inbox { return &inbox{news: make(chan struct{}, 1)} }

// open asks the server for the answers.
func (b *inbox) open(nc *client.Conn) error {
	b.prefix = nc.NewInbox() + "."
	_, err := nc.Subscribe(b.prefix+"*", b.take)
	return err
}

// expect makes room for the answers to n messages. Answers to earlier ones
// are no longer listened to.
func (b *inbox) expect(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.base += uint64(len(b.list))
	b.list, b.wait, b.end = make([]answer, n), n, nil
}

// reply is the subject that the answer to message i comes to.
func (b *inbox) reply(i int) string {
	return b.prefix + strconv.FormatUint(b.base+uint64(i), 36)
}

// forget says that one of the messages was not sent.
func (b *inbox) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wait--
}

// abort ends the waiting.
func (b *inbox) abort(err error) {
	b.mu.Lock()
	b.end = err
	b.mu.Unlock()
	b.tell()
}

func (b *inbox) tell() {
	select {
	case b.news <- struct{}{}:
	default:
	}
}

// take is called for each answer.
func (b *inbox) take(m *client.Msg) {
	n, err := strconv.ParseUint(m.Subject[len(b.prefix):], 36, 64)
	if err != nil {
		return
	}
	a := parseAnswer(m)
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := n - b.base; n >= b.base && i < uint64(len(b.list)) && b.list[i] == (answer{}) {
		b.list[i] = a
		b.wait--
		b.tell()
	}
}

func parseAnswer(m *client.Msg) answer {
	if len(m.Data) == 0 && m.Header.Get("Status") == "503" {
		return answer{err: errNoStream}
	}
	var body struct {
		jetstream.PubAck
		Error *jetstream.APIError `json:"error"`
	}
	switch err := json.Unmarshal(m.Data, &body); {
	case err != nil:
		return answer{err: fmt.Errorf("reading JetStream's answer: %w", err)}
	case body.Error != nil:
		return answer{err: body.Error}
	case body.Stream == "":
		return answer{err: errors.New("the answer is not JetStream's: something else listens on the subject")}
	}
	return answer{ack: &body.PubAck}
}

// collect waits until every message has its answer, or none comes any more:
// the session ended, ctx did, or the server has been silent for too long. The
// error is why answers are missing.
func (b *inbox) collect(ctx context.Context, closed <-chan struct{}) ([]answer, error) {
	silent := time.NewTimer(patience)
	defer silent.Stop()
	for {
		b.mu.Lock()
		list, wait, end := b.list, b.wait, b.end
		if wait <= 0 || end != nil {
			b.base += uint64(len(b.list))
			b.list = nil // nobody writes to it any more
			b.mu.Unlock()
			return list, end
		}
		b.mu.Unlock()
		select {
		case <-b.news:
			silent.Reset(patience)
		case <-closed:
			b.abort(errors.New("the connection was lost before the answer came"))
		case <-ctx.Done():
			b.abort(ctx.Err())
		case <-silent.C:
			b.abort(errSilent)
		}
	}
}
