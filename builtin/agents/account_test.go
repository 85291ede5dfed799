package agents

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

// joined is a connection of the tests.
type joined struct {
	host *component.Host
	mu   sync.Mutex
	open io.Closer
	uses int
}

func (c *joined) Join(ctx context.Context, _ any, open func(context.Context, *component.Host) (io.Closer, error)) (_ io.Closer, _ func(), err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == nil {
		if c.open, err = open(ctx, c.host); err != nil {
			return nil, nil, err
		}
	}
	c.uses++
	return c.open, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.uses--; c.uses == 0 {
			_ = c.open.Close()
		}
	}, nil
}

// Sources of one connection are one user for the API: one token, one rate, and
// when it wants to be left alone all of them leave it alone.
func TestSourcesOfOneConnectionAreOneUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := worldtest.New()
		listener, err := w.Listen(t.Context(), "tcp", "wazuh:55000")
		if err != nil {
			t.Fatal(err)
		}
		s := newWazuhAPI(t, one(1, active))
		server := &http.Server{Handler: s}
		go func() { _ = server.Serve(listener) }()
		defer server.Close()
		host := &component.Host{World: w.World}
		host.Connection = &joined{host: host}
		const sources = 3
		var all []*api
		for range sources {
			a, err := newAPI(host, apiConfig("http://wazuh:55000", map[string]any{"requests": 1.0}))
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			all = append(all, a)
		}
		ask := func() (failed []error) {
			errs := make(chan error, sources)
			for _, a := range all {
				go func() {
					_, _, err := a.Readings(t.Context(), nil)
					errs <- err
				}()
			}
			for range sources {
				if err := <-errs; err != nil {
					failed = append(failed, err)
				}
			}
			return failed
		}
		began := time.Now()
		for range 10 {
			if failed := ask(); failed != nil {
				t.Fatal(failed)
			}
		}
		// A login and 30 requests, of which the first 10 of a burst need not wait.
		if d := time.Since(began); s.logins.Load() != 1 || d < 20*time.Second || d > 22*time.Second {
			t.Errorf("%d logins, %v", s.logins.Load(), d)
		}

		s.change(func() { s.status, s.header = http.StatusTooManyRequests, http.Header{"Retry-After": {"30"}} })
		time.Sleep(time.Minute)
		failed := ask()
		before := s.requests.Load()
		s.change(func() { s.status = 0 })
		if failed = append(failed, ask()...); len(failed) != 2*sources || !strings.Contains(failed[2*sources-1].Error(), "too many requests") || s.requests.Load() != before {
			t.Errorf("asked %d times more: %v", s.requests.Load()-before, failed)
		}
		time.Sleep(31 * time.Second)
		if failed := ask(); failed != nil {
			t.Error(failed)
		}

		s.change(func() { clear(s.tokens) }) // each finds that the token is refused, one of them asks for another
		if failed := ask(); failed != nil || s.logins.Load() != 2 {
			t.Errorf("%d logins, %v", s.logins.Load(), failed)
		}
	})
}
