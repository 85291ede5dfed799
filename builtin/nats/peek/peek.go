// Package peek shows what JetStream streams hold: those of a running server,
// or those that a stopped embedded server has left on disk.
package peek

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wazuh-etl/etl/builtin/nats/embedded"
)

// Options say what to show, and how.
type Options struct {
	Stream  string // only this one; "": all
	Subject string // only subjects that match it, wildcards allowed; "": all
	Count   int    // at most so many of each stream, the last ones; 0: all
	JSON    bool   // one JSON object a line
	Escape  bool   // write control characters as \x1b: the reader is a terminal
	Creds   string // credentials file for a server; a user and password stand in its URL
}

// Peek writes the messages of target to w, oldest first, a line each: sequence
// number, subject, message id, payload. target is the URL of a server, or
// a directory that a stopped server's store is in, below or above. The store is
// copied first: what is on disk stays as it is.
func Peek(ctx context.Context, w io.Writer, target string, o Options) error {
	if o.Subject != "" && !natsserver.IsValidSubject(o.Subject) {
		return fmt.Errorf("%q is no subject", o.Subject)
	}
	if scheme, _, ok := strings.Cut(target, "://"); ok {
		if scheme != "nats" && scheme != "tls" && scheme != "ws" && scheme != "wss" {
			return fmt.Errorf("%q is no NATS server: write nats://host:port, or a directory", target)
		}
		return running(ctx, w, target, o)
	}
	stores, err := find(target)
	if err != nil {
		return err
	}
	p := &printer{w: w, o: o}
	for _, store := range stores {
		if err := stopped(ctx, p, store); err != nil {
			return err
		}
	}
	return p.end()
}

// running shows the streams of a server that runs.
func running(ctx context.Context, w io.Writer, target string, o Options) error {
	u, err := url.Parse(target)
	if err != nil {
		return errors.New("a server is written nats://host:port")
	}
	options := []nats.Option{nats.Name("etl peek"), nats.NoReconnect(), nats.Timeout(5 * time.Second)}
	if o.Creds != "" {
		options = append(options, nats.UserCredentials(o.Creds))
	}
	nc, err := nats.Connect(target, options...)
	if err != nil {
		return fmt.Errorf("connecting to %s: %w", u.Host, err)
	}
	defer nc.Close()
	p := &printer{w: w, o: o}
	if err := show(ctx, nc, p); err != nil {
		return err
	}
	return p.end()
}

// stopped shows the streams of a store on disk, by a server on a copy of it.
func stopped(ctx context.Context, p *printer, store string) (err error) {
	dir, err := os.MkdirTemp("", "etl-peek-")
	if err != nil {
		return fmt.Errorf("making room for a copy of the store: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := copyStore(store, dir, p.o.Stream); err != nil {
		return fmt.Errorf("copying the store %s: %w", store, err)
	}
	s, err := embedded.Start(embedded.Options{Dir: dir})
	if err != nil {
		return fmt.Errorf("reading the store %s: %w", store, err)
	}
	defer s.Stop()
	nc, err := nats.Connect(s.URL(), nats.NoReconnect())
	if err != nil {
		return fmt.Errorf("reading the store %s: %w", store, err)
	}
	defer nc.Close()
	return show(ctx, nc, p)
}

// show prints the streams that a server has.
func show(ctx context.Context, nc *nats.Conn, p *printer) error {
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	if p.o.Stream != "" {
		s, err := js.Stream(ctx, p.o.Stream)
		if err != nil {
			return fmt.Errorf("looking for stream %q: %w", p.o.Stream, err)
		}
		return messages(ctx, s, p)
	}
	names := js.StreamNames(ctx)
	var all []string
	for name := range names.Name() {
		all = append(all, name)
	}
	if err := names.Err(); err != nil {
		return fmt.Errorf("listing the streams: %w", err)
	}
	for _, name := range all {
		s, err := js.Stream(ctx, name)
		if err != nil {
			return fmt.Errorf("looking for stream %q: %w", name, err)
		}
		if err := messages(ctx, s, p); err != nil {
			return err
		}
	}
	return nil
}

// messages prints one stream. It asks for one message after the other, which
// leaves no consumer behind and takes nothing from a work queue.
func messages(ctx context.Context, s jetstream.Stream, p *printer) error {
	info := s.CachedInfo()
	if err := p.begin(info.Config.Name, info.State.Msgs); err != nil {
		return err
	}
	subject := p.o.Subject
	if subject == "" {
		subject = ">"
	}
	first := info.State.FirstSeq
	if n := uint64(p.o.Count); n > 0 && subject == ">" && info.State.LastSeq >= first+n {
		first = info.State.LastSeq - n + 1
	}
	var last []*jetstream.RawStreamMsg
	for seq := max(first, 1); seq <= info.State.LastSeq; seq++ {
		m, err := s.GetMsg(ctx, seq, jetstream.WithGetMsgSubject(subject))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			break
		}
		if err != nil {
			return fmt.Errorf("reading message %d of stream %q: %w", seq, info.Config.Name, err)
		}
		seq = m.Sequence
		if p.o.Count == 0 {
			if err := p.message(info.Config.Name, m); err != nil {
				return err
			}
			continue
		}
		if last = append(last, m); len(last) > p.o.Count {
			last = last[1:]
		}
	}
	for _, m := range last {
		if err := p.message(info.Config.Name, m); err != nil {
			return err
		}
	}
	return nil
}
