package nats

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	client "github.com/nats-io/nats.go"

	"github.com/wazuh-etl/etl/builtin/tlsconfig"
	"github.com/wazuh-etl/etl/runtime/component"
)

// connector knows how to reach the servers, by what a connection may share.
type connector struct {
	urls        []string
	login       login
	tls         *component.Config
	inboxPrefix string
	host        *component.Host

	found []string // servers that a server told of
}

// open begins to connect, and waits for the first attempt.
func (c connector) open(ctx context.Context, host *component.Host) (*keeper, error) {
	c.host = host
	k := &keeper{dial: c.dial, health: host.Health}
	k.start(ctx)
	return k, nil
}

// dial makes a session with the first server that answers.
func (c *connector) dial(ctx context.Context) (*session, error) {
	explain := func(err error) error { return c.login.explain(err, c.host.World) }
	s := newSession(explain)
	options, err := c.options(ctx, s)
	if err != nil {
		return nil, err
	}
	urls := append(slices.Clone(c.urls), c.found...)
	nc, err := client.Connect(strings.Join(urls, ","), options...)
	if err != nil {
		if errors.Is(err, client.ErrNoServers) {
			err = fmt.Errorf("no server answers there: %w", err)
		}
		return nil, fmt.Errorf("connecting to %s: %w", strings.Join(bare(c.urls), ", "), explain(err))
	}
	s.nc = nc
	c.found = nc.DiscoveredServers()
	return s, nil
}

func (c *connector) options(ctx context.Context, s *session) ([]client.Option, error) {
	options := []client.Option{
		client.Name("etl " + c.host.Address),
		client.NoReconnect(), // see keeper
		client.SkipHostLookup(),
		client.SetCustomDialer(&dialer{ctx: ctx, dial: c.host.Dial, s: s}),
		client.Timeout(2 * time.Second),
		client.PingInterval(10 * time.Second),
		client.FlusherTimeout(patience),
		client.ClosedHandler(func(*client.Conn) { close(s.closed) }),
		client.ErrorHandler(func(_ *client.Conn, _ *client.Subscription, err error) { s.complain(err) }),
	}
	if c.inboxPrefix != "" {
		options = append(options, client.CustomInboxPrefix(c.inboxPrefix))
	}
	config, err := tlsconfig.Build(c.tls, c.host.FS)
	if err != nil {
		return nil, err
	}
	if config != nil {
		options = append(options, client.Secure(config))
	}
	return c.login.options(options, c.host.FS)
}

// dialer reaches out by the host's network, and lets go when the sink closes.
type dialer struct {
	ctx  context.Context //nolint:containedctx // the client's interface has none
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	s    *session
}

func (d *dialer) Dial(network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(d.ctx, 2*time.Second)
	defer cancel()
	conn, err := d.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.s.raw = conn
	return conn, nil
}

// bare are URLs as they may be shown: without login.
func bare(urls []string) []string {
	shown := make([]string, len(urls))
	for i, u := range urls {
		scheme, rest, _ := strings.Cut(u, "://")
		if _, host, ok := strings.Cut(rest, "@"); ok {
			u = scheme + "://" + host
		}
		shown[i] = u
	}
	return shown
}
