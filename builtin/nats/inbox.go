package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wazuh-etl/etl/runtime/component"
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

// inbox takes the answers to one sink's messages on one session: JetStream's,
// and the server's complaints.
type inbox struct {
	session *session
	prefix  string // of the subjects that JetStream's answers come to; "": none come
	sub     *client.Subscription

	mu       sync.Mutex
	base     uint64 // number of the first message of answers
	wait     int    // how many of answers are open
	list     []answer
	subjects []string      // of the messages that list is for
	deaf     error         // why no answer can come; nil: they do
	news     chan struct{} // a new answer, or an end
	end      error
}

func newInbox() *inbox { return &inbox{news: make(chan struct{}, 1)} }

// open makes what is said about the sink's messages on s come to b, JetStream's
// answers too if there will be any.
func (b *inbox) open(s *session, jetStream bool) (err error) {
	b.session = s
	s.join(b)
	if jetStream {
		b.prefix = s.nc.NewInbox() + "."
		if b.sub, err = s.nc.Subscribe(b.prefix+"*", b.take); err != nil {
			s.leave(b)
			return fmt.Errorf("subscribing to answers: %w", err)
		}
	}
	return nil
}

func (b *inbox) close() {
	b.session.leave(b)
	if b.sub != nil {
		_ = b.sub.Unsubscribe() // fails only where the session is over
	}
}

// good says whether b can be used on s.
func (b *inbox) good(s *session) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.session == s && b.deaf == nil
}

// expect makes room for the answers to messages. Answers to earlier ones
// are no longer listened to.
func (b *inbox) expect(messages []*component.Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.base += uint64(len(b.list))
	n := len(messages)
	b.list, b.wait, b.end = make([]answer, n), n, b.deaf
	b.subjects = b.subjects[:0]
	for _, m := range messages {
		b.subjects = append(b.subjects, m.Native.(*client.Msg).Subject)
	}
}

// reply is the subject that the answer to message i comes to.
func (b *inbox) reply(i int) string {
	return b.prefix + strconv.FormatUint(b.base+uint64(i), 36)
}

// unsent says why message i was not sent.
func (b *inbox) unsent(i int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list[i] = answer{err: err}
	b.wait--
}

// hear takes a complaint if it is about b, and says whether it is.
func (b *inbox) hear(what, subject string, err error) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case strings.EqualFold(what, "Publish to"):
		for i, s := range b.subjects {
			if s == subject && i < len(b.list) && b.list[i] == (answer{}) {
				b.list[i] = answer{err: &denied{subject}}
				b.wait--
				b.tell()
				return true
			}
		}
	case b.prefix != "" && strings.HasPrefix(subject, b.prefix):
		b.deaf = fmt.Errorf("the answers of JetStream don't come (inbox_prefix is another one?): %w", err)
		b.end = b.deaf
		b.tell()
		return true
	}
	return false
}

// said are the answers that have come so far; the next messages may be expected.
func (b *inbox) said() []answer {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.list
	b.base += uint64(len(list))
	b.list = nil // nobody writes to it any more
	return list
}

// denied is the server's word that the user may not publish to a subject.
type denied struct{ subject string }

func (d *denied) Error() string {
	return fmt.Sprintf("the user may not publish to %q: the server reports a permissions violation", d.subject)
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
	case body.Error != nil && body.Stream == "":
		return answer{err: body.Error}
	case body.Error != nil:
		return answer{err: &refusal{body.Stream, body.Error}}
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
		wait, end := b.wait, b.end
		b.mu.Unlock()
		if wait <= 0 || end != nil {
			return b.said(), end
		}
		select {
		case <-b.news:
			silent.Reset(patience)
		case <-closed:
			b.abort(errLost)
		case <-ctx.Done():
			b.abort(ctx.Err())
		case <-silent.C:
			b.abort(errSilent)
		}
	}
}
