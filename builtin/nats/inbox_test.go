package nats

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wazuh-etl/etl/runtime/component"
)

func said(b *inbox, i int, text string) { b.take(&client.Msg{Subject: b.reply(i), Data: []byte(text)}) }

// blank are n messages, of subjects x.0, x.1, …
func blank(n int) []*component.Message {
	var list []*component.Message
	for i := range n {
		list = append(list, &component.Message{Native: &client.Msg{Subject: fmt.Sprint("x.", i)}})
	}
	return list
}

func TestInboxCollects(t *testing.T) {
	b := newInbox()
	b.prefix = "_INBOX.x."
	b.expect(blank(3))
	late := b.reply(0)
	said(b, 2, `{"stream":"A","seq":7,"duplicate":true}`)
	unsent := errors.New("too large")
	b.unsent(1, unsent)
	said(b, 0, `{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"}}`)
	said(b, 0, `{"stream":"A","seq":8}`) // the first answer counts
	answers, err := b.collect(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var refused *jetstream.APIError
	if !errors.As(answers[0].err, &refused) || refused.ErrorCode != 10077 || answers[1] != (answer{err: unsent}) || answers[2].ack.Sequence != 7 || !answers[2].ack.Duplicate {
		t.Errorf("%v", answers)
	}
	b.expect(blank(1))
	b.take(&client.Msg{Subject: late, Data: []byte(`{"stream":"A","seq":9}`)})
	b.take(&client.Msg{Subject: b.prefix + "?", Data: []byte(`{"stream":"A","seq":9}`)})
	said(b, 0, `{"stream":"A","seq":10}`)
	if answers, err = b.collect(t.Context(), nil); err != nil || answers[0].ack.Sequence != 10 {
		t.Errorf("a late answer was taken: %v, %v", answers, err)
	}
}

func TestInboxGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newInbox()
		b.expect(blank(2))
		begin := time.Now()
		go func() {
			time.Sleep(patience - time.Second)
			said(b, 0, `{"stream":"A","seq":1}`) // as long as answers come it waits
		}()
		answers, err := b.collect(t.Context(), nil)
		if !errors.Is(err, errSilent) || time.Since(begin) != 2*patience-time.Second || answers[0].ack == nil {
			t.Errorf("silence: %v after %v, %v", err, time.Since(begin), answers)
		}
		closed := make(chan struct{})
		close(closed)
		b.expect(blank(1))
		if _, err = b.collect(t.Context(), closed); err == nil || !strings.Contains(err.Error(), "lost") {
			t.Errorf("closed: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		b.expect(blank(1))
		if _, err = b.collect(ctx, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("ctx: %v", err)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"stream":"A","seq":1}`), "")
	f.Add([]byte(`{"error":null,"stream":""}`), "")
	f.Add([]byte(nil), "503")
	f.Fuzz(func(t *testing.T, data []byte, status string) {
		a := parseAnswer(&client.Msg{Data: data, Header: client.Header{"Status": {status}}})
		if (a.ack == nil) == (a.err == nil) {
			t.Errorf("%q: %v", data, a)
		}
		if a.ack != nil && a.ack.Stream == "" {
			t.Error(fmt.Sprint("stored nowhere: ", a.ack))
		}
	})
}

// What the sink promises of a keeper: it comes back by itself, and it says why not.
func TestKeeperComesBack(t *testing.T) {
	f := serve(t, nil)
	s, h := open(t, map[string]any{"url": f.url(), "jetstream": false})
	first := s.keeper.now()
	f.stop()
	<-first.closed
	for h.health() == nil {
		time.Sleep(time.Millisecond)
	}
	f.start(t)
	for h.health() != nil {
		time.Sleep(time.Millisecond)
	}
	if c := s.keeper.now(); c == nil || c == first {
		t.Error("no new session")
	}
}
