package watch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wazuh-etl/etl/builtin/compression"
)

// NATS is a feed of what pipeline agent-status publishes.
type NATS struct {
	URL    string // nats:// or tls://, with a login in it or not
	Creds  string // credentials file; "": none
	TLS    *tls.Config
	Prefix string // of the subjects
}

const (
	natsTimeout = 5 * time.Second
	// maxExpanded is the most that a compressed message may hold, in bytes.
	maxExpanded = 16 << 20
)

// Host is where the server is, without the login.
func (n *NATS) Host() string {
	u, err := url.Parse(n.URL)
	if err != nil {
		return "the server"
	}
	return u.Host
}

// subjects are those that are about agents.
func (n *NATS) subjects() []string {
	return []string{n.Prefix + ".agent.>", n.Prefix + ".manager.>", n.Prefix + ".security.>"}
}

// Run connects, tells the last message of each subject that a stream has kept, and then what is published. A
// connection that breaks later is made again.
func (n *NATS) Run(ctx context.Context, b *Board) error {
	nc, err := client.Connect(n.URL, n.options(b)...)
	if err != nil {
		return n.refused(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	kept, err := n.find(ctx, js)
	if len(kept) == 0 {
		why := "no stream keeps " + n.subjects()[0]
		if err != nil {
			why = "streams can't be read (" + err.Error() + ")"
		}
		b.Note(why + ": only what is published from now on is seen")
	}
	for _, subject := range n.subjects() {
		if slices.ContainsFunc(kept, func(k keeper) bool { return slices.Contains(k.subjects, subject) }) {
			continue
		}
		if _, err := nc.Subscribe(subject, func(m *client.Msg) { give(b, m.Header, m.Data) }); err != nil {
			return fmt.Errorf("subscribing to %s: %w", subject, err)
		}
	}
	return follow(ctx, js, kept, b)
}

func (n *NATS) options(b *Board) []client.Option {
	options := []client.Option{
		client.Name("etl watch"), client.Timeout(natsTimeout), client.MaxReconnects(-1),
		client.DisconnectErrHandler(func(_ *client.Conn, err error) {
			if err == nil {
				err = errors.New("it hung up")
			}
			b.Trouble(fmt.Errorf("%s: %w", n.Host(), err))
		}),
		client.ReconnectHandler(func(*client.Conn) { b.Trouble(nil) }),
		client.ErrorHandler(func(_ *client.Conn, _ *client.Subscription, err error) {
			if errors.Is(err, client.ErrPermissionViolation) { // it stays so
				b.Note(err.Error())
				return
			}
			b.Trouble(err)
		}),
	}
	if n.Creds != "" {
		options = append(options, client.UserCredentials(n.Creds))
	}
	if n.TLS != nil {
		options = append(options, client.Secure(n.TLS))
	}
	return options
}

// refused says what to do where there is no connection.
func (n *NATS) refused(err error) error {
	hint := ""
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, client.ErrAuthorization), errors.Is(err, client.ErrAuthExpired):
		hint = ": log in with --creds FILE or nats://USER:PASSWORD@HOST"
	case errors.Is(err, client.ErrNoServers):
		hint = ": no server answers there"
	case errors.As(err, &certificate):
		hint = ": write the authority that has signed it as --tls-ca"
	case errors.Is(err, client.ErrSecureConnRequired):
		hint = ": write tls:// instead of nats://"
	}
	return fmt.Errorf("connecting to %s: %w%s", n.Host(), err, hint)
}

// keeper is a stream and what it keeps for us.
type keeper struct {
	stream   string
	subjects []string
}

// find lists the streams that keep what is published until it is too old: who reads others takes away from them.
func (n *NATS) find(ctx context.Context, js jetstream.JetStream) ([]keeper, error) {
	ctx, cancel := context.WithTimeout(ctx, natsTimeout)
	defer cancel()
	var kept []keeper
	for _, subject := range n.subjects() {
		found := js.ListStreams(ctx, jetstream.WithStreamListSubject(subject))
		for info := range found.Info() {
			if info.Config.Retention != jetstream.LimitsPolicy {
				continue
			}
			i := slices.IndexFunc(kept, func(k keeper) bool { return k.stream == info.Config.Name })
			if i < 0 {
				i = len(kept)
				kept = append(kept, keeper{stream: info.Config.Name})
			}
			kept[i].subjects = append(kept[i].subjects, subject)
		}
		if err := found.Err(); err != nil {
			return kept, err
		}
	}
	return kept, nil
}

// follow reads streams until ctx ends: the last message of each subject, then what comes.
func follow(ctx context.Context, js jetstream.JetStream, kept []keeper, b *Board) error {
	var replaying atomic.Int64
	replaying.Store(int64(len(kept)))
	b.Replay(len(kept) > 0)
	through := func() {
		if replaying.Add(-1) == 0 {
			b.Replay(false)
		}
	}
	for _, k := range kept {
		reading, err := k.follow(ctx, js, b, through)
		if err != nil {
			return fmt.Errorf("reading stream %s: %w", k.stream, err)
		}
		defer reading.Stop()
	}
	<-ctx.Done()
	return nil
}

// follow reads one stream; through is called when what it had kept has come.
func (k keeper) follow(ctx context.Context, js jetstream.JetStream, b *Board, through func()) (jetstream.ConsumeContext, error) {
	consumer, err := js.OrderedConsumer(ctx, k.stream, jetstream.OrderedConsumerConfig{
		FilterSubjects: k.subjects, DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy, InactiveThreshold: time.Minute,
	})
	if err != nil {
		return nil, err
	}
	replaying := consumer.CachedInfo().NumPending > 0
	if !replaying {
		through()
	}
	return consumer.Consume(func(m jetstream.Msg) {
		give(b, m.Headers(), m.Data())
		if !replaying {
			return
		}
		if meta, err := m.Metadata(); err == nil && meta.NumPending == 0 {
			replaying = false
			through()
		}
	}, jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
		if !errors.Is(err, jetstream.ErrNoHeartbeat) { // the connection's handlers say that better
			b.Trouble(fmt.Errorf("stream %s: %w", k.stream, err))
		}
	}))
}

// give unpacks a message. One that comes says that all is well again.
func give(b *Board, headers client.Header, data []byte) {
	b.Trouble(nil)
	if method := headers.Get("Content-Encoding"); method != "" {
		inside, err := compression.Expand(strings.ToLower(method), data, maxExpanded)
		if err != nil {
			b.Damaged()
			return
		}
		data = inside
	}
	b.Message(data)
}
