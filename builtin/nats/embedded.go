package nats

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wazuh-etl/etl/builtin/nats/embedded"
	"github.com/wazuh-etl/etl/runtime/component"
)

// duplicateWindow is how long the embedded stream knows an id: long enough for
// any restart, short enough to fit into memory.
const duplicateWindow = 10 * time.Minute

// embeddedStream is the stream of the embedded server, made to fit what comes.
type embeddedStream struct {
	name     string
	port     int // 0: a free one
	maxBytes int64

	dir    string
	server *embedded.Server
	tops   map[string]bool // first tokens of subjects that the stream takes
}

func (e *embeddedStream) start(host *component.Host) error {
	if err := host.FS.MkdirAll(host.StateDir, 0o700); err != nil {
		return fmt.Errorf("making the embedded server's directory: %w", err)
	}
	server, err := embedded.Start(embedded.Options{Dir: host.StateDir, Port: e.port, Log: host.Log})
	if err != nil {
		return err
	}
	e.dir, e.server, e.tops = host.StateDir, server, map[string]bool{}
	host.Log.Info("embedded NATS server started", "url", server.URL(), "store", server.Store(), "stream", e.name)
	return nil
}

func (e *embeddedStream) stop() {
	if e.server != nil {
		e.server.Stop()
		e.server = nil
	}
}

// create finds the stream that an earlier run has left, or leaves its making
// to the first message: only then is a subject known.
func (e *embeddedStream) create(ctx context.Context, nc *client.Conn) error {
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	stream, err := js.Stream(ctx, e.name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking for stream %q of the embedded server: %w", e.name, err)
	}
	for _, subject := range stream.CachedInfo().Config.Subjects {
		e.tops[strings.TrimSuffix(subject, ".>")] = true
	}
	return e.update(ctx, nc)
}

// cover makes the stream take the subjects of messages. A stream can't just
// take all, so it takes all below each first token.
func (e *embeddedStream) cover(ctx context.Context, nc *client.Conn, messages []*component.Message) error {
	if err := e.server.Revive(); err != nil {
		return err
	}
	missing := false
	for _, m := range messages {
		top, _, _ := strings.Cut(m.Native.(*client.Msg).Subject, ".")
		if !e.tops[top] {
			e.tops[top], missing = true, true
		}
	}
	if !missing {
		return nil
	}
	if err := e.update(ctx, nc); err != nil {
		clear(e.tops) // they are asked for again
		return err
	}
	return nil
}

func (e *embeddedStream) update(ctx context.Context, nc *client.Conn) error {
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	var subjects []string
	for top := range e.tops {
		subjects = append(subjects, top, top+".>")
	}
	beforeStream.Pass()
	_, err = js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: e.name, Subjects: subjects, Storage: jetstream.FileStorage, Replicas: 1,
		MaxBytes: e.maxBytes, Discard: jetstream.DiscardOld, Duplicates: duplicateWindow, AllowDirect: true,
	})
	if err != nil {
		return fmt.Errorf("making stream %q of the embedded server: %w", e.name, err)
	}
	return nil
}
