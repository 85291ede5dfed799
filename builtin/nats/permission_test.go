package nats

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wazuh-etl/etl/runtime/component"
)

// common is a connection of the tests, opened by the first who asks.
type common struct {
	*host
	open io.Closer
}

func (c *common) Join(ctx context.Context, _ any, open func(context.Context, *component.Host) (io.Closer, error)) (_ io.Closer, _ func(), err error) {
	if c.open == nil {
		c.open, err = open(ctx, &c.Host)
	}
	return c.open, func() {}, err
}

// forbidding is a server whose user u may use only some subjects, with a stream of all alerts.
func forbidding(t testing.TB, p *server.Permissions) (f *fleet, st jetstream.Stream) {
	t.Helper()
	f = serve(t, func(o *server.Options) {
		o.Users = []*server.User{{Username: "u", Password: "p", Permissions: p}, {Username: "root", Password: "r"}}
	})
	return f, stream(t, js(t, f.url(), client.UserInfo("root", "r")), jetstream.StreamConfig{Name: "A", Subjects: []string{"alerts.>"}})
}

func asU(f *fleet, more map[string]any) map[string]any {
	values := map[string]any{"url": f.url(), "username": "u", "password": "p"}
	for k, v := range more {
		values[k] = v
	}
	return values
}

var notTwo = &server.Permissions{Publish: &server.SubjectPermission{Allow: []string{"alerts.>", "$JS.API.>"}, Deny: []string{"alerts.2"}}}

// The server says that a message was not allowed at any time later, and of which
// subject: that message goes to .errors, those around it are delivered.
func TestAForbiddenSubjectIsTheEventsError(t *testing.T) {
	for _, jetStream := range []bool{true, false} {
		t.Run(fmt.Sprint("jetstream ", jetStream), func(t *testing.T) {
			f, st := forbidding(t, notTwo)
			s, h := open(t, asU(f, map[string]any{"jetstream": jetStream}))
			var o outbox
			messages := append(o.alerts(t, s, 1, 200), o.message(t, s, alert(2), "again"))
			want(t, "tries", o.deliver(t.Context(), s, messages, 512), 1)
			for i, m := range messages {
				expected := "done"
				if i == 1 || i == 200 {
					expected = "failed " + CodeNotPermitted
				}
				if o.of(m) != expected {
					t.Errorf("message %d: %s, want %s", i+1, o.of(m), expected)
				}
			}
			eventually(t, "all that is allowed is stored", func() bool { return len(stored(t, st)) >= 199 }) // core NATS does not wait for it
			want(t, "stored", payloads(stored(t, st)), append([]string{"1"}, count(3, 200)...))
			if err := h.health(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A subject that is the same for all is forbidden for all: the events wait.
func TestASubjectForbiddenForAllIsWaitedFor(t *testing.T) {
	for _, jetStream := range []bool{true, false} {
		f, _ := forbidding(t, notTwo)
		s, _ := open(t, asU(f, map[string]any{"jetstream": jetStream, "subject": template("alerts.2")}))
		var o outbox
		messages := o.alerts(t, s, 1, 3)
		for range 2 {
			if err := s.Deliver(t.Context(), messages); err == nil || !strings.Contains(err.Error(), `the user may not publish to "alerts.2"`) {
				t.Fatal(jetStream, err)
			}
		}
		want(t, "without an answer", len(o.open(messages)), 3)
	}
}

// Sinks of one connection hear only what is about them.
func TestAForbiddenSubjectOfOneSinkIsNotAnothers(t *testing.T) {
	f, st := forbidding(t, notTwo)
	bus := &common{host: newHost(t)}
	var sinks []*sink
	for _, values := range []map[string]any{{}, {"jetstream": false}, {"message_id": template("x{}")}} {
		made, err := newSink(config(asU(f, values)))
		if err != nil {
			t.Fatal(err)
		}
		h := newHost(t)
		h.Connection = bus
		if err := made.Open(t.Context(), &h.Host); err != nil {
			t.Fatal(err)
		}
		sinks = append(sinks, made.(*sink))
	}
	defer func() {
		for _, s := range sinks {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := bus.open.Close(); err != nil {
			t.Error(err)
		}
	}()
	want(t, "clients but the test's own", f.NumClients()-1, 1)
	const lots = 30
	done := make(chan *outbox)
	for i, s := range sinks {
		go func() {
			o := &outbox{}
			for lot := range lots { // one of them publishes what is forbidden
				from := 10 + 10*lot
				messages := o.alerts(t, s, from, from+9)
				if i == 0 {
					messages = append(messages, o.message(t, s, alert(2), "forbidden"))
				}
				if tries := o.deliver(t.Context(), s, messages, 100); tries != 1 {
					t.Errorf("sink %d: %d tries", i, tries)
				}
			}
			done <- o
		}()
	}
	failed := 0
	for range sinks {
		for _, answer := range (<-done).answers {
			if answer != "done" {
				failed++
			}
		}
	}
	want(t, "failed", failed, lots)
	eventually(t, "all that is allowed is stored", func() bool { return len(stored(t, st)) >= 3*lots*10 })
	want(t, "stored", len(stored(t, st)), 3*lots*10)
}

// Who may not listen to the answers is told why none come, at once.
func TestAnswersThatMayNotBeListenedTo(t *testing.T) {
	f, st := forbidding(t, &server.Permissions{Subscribe: &server.SubjectPermission{Allow: []string{"etl.>"}}})
	s, _ := open(t, asU(f, nil))
	var o outbox
	messages := o.alerts(t, s, 1, 3)
	for range 2 {
		if err := s.Deliver(t.Context(), messages); !errors.Is(err, client.ErrPermissionViolation) || !strings.Contains(err.Error(), "inbox_prefix") {
			t.Fatal(err)
		}
	}
	other, _ := open(t, asU(f, map[string]any{"inbox_prefix": "etl"}))
	o.deliver(t.Context(), other, o.open(messages), 10)
	want(t, "stored", payloads(stored(t, st)), "[1 2 3]")
}
