package nats

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	client "github.com/nats-io/nats.go"
)

// A sink that has to stop while it waits for answers leaves the connection to
// the others.
func TestASinkThatStopsLeavesTheConnection(t *testing.T) {
	f := serve(t, nil)
	mute, err := client.Connect(f.url())
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	heard := make(chan struct{}, 10)
	if _, err := mute.Subscribe("alerts.>", func(*client.Msg) { heard <- struct{}{} }); err != nil { // takes it, and says nothing
		t.Fatal(err)
	}
	if err := mute.Flush(); err != nil {
		t.Fatal(err)
	}
	bus := &common{host: newHost(t)}
	open := func(values map[string]any) *sink {
		values["url"] = f.url()
		made, err := newSink(config(values))
		if err != nil {
			t.Fatal(err)
		}
		h := newHost(t)
		h.Connection = bus
		if err := made.Open(t.Context(), &h.Host); err != nil {
			t.Fatal(err)
		}
		return made.(*sink)
	}
	stopping, other := open(map[string]any{}), open(map[string]any{"jetstream": false})
	defer func() { _ = errors.Join(other.Close(), bus.open.Close()) }()
	ctx, cancel := context.WithCancel(t.Context())
	var o outbox
	messages := o.alerts(t, stopping, 1, 3)
	done := make(chan error)
	go func() { done <- stopping.Deliver(ctx, messages) }()
	for range messages {
		<-heard
	}
	before := other.keeper.now()
	cancel()
	if err := <-done; err != nil || o.of(messages[0]) != "returned" {
		t.Errorf("%v, %s", err, o.of(messages[0]))
	}
	if err := stopping.Close(); err != nil {
		t.Error(err)
	}
	rest := o.alerts(t, other, 4, 6)
	want(t, "tries of the other", o.deliver(t.Context(), other, rest, 10), 1)
	if other.keeper.now() != before {
		t.Error("there is another connection")
	}
	want(t, "inboxes left", len(before.inboxes), 1)
}

// Who is stuck in the client gets out by the end of the socket, and nobody else ends it.
func TestGuard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, isStuck := range []bool{true, false} {
			near, far := net.Pipe()
			s := &session{raw: near}
			ctx, cancel := context.WithCancel(t.Context())
			leave := s.guard(ctx)
			cancel()
			if !isStuck {
				leave()
			}
			time.Sleep(2 * stuck)
			_ = near.SetReadDeadline(time.Now())
			_, err := near.Read(make([]byte, 1))
			if ended := errors.Is(err, io.ErrClosedPipe); ended != isStuck {
				t.Errorf("stuck: %v, ended: %v (%v)", isStuck, ended, err)
			}
			if isStuck {
				leave()
			}
			_ = errors.Join(near.Close(), far.Close())
		}
	})
}
