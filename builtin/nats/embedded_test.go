package nats

import (
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/wazuh-etl/etl/runtime/component"
)

func block(values map[string]any) *component.Config {
	all := map[string]any{"max_bytes": int64(64 << 20)}
	for k, v := range values {
		all[k] = v
	}
	return &component.Config{Values: all}
}

// openIn opens an embedded sink on a state directory.
func openIn(t testing.TB, dir string, values map[string]any) (*sink, *host, error) {
	t.Helper()
	made, err := newSink(config(values))
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t)
	h.StateDir = dir
	err = made.Open(t.Context(), &h.Host)
	t.Cleanup(func() { _ = made.Close() })
	return made.(*sink), h, err
}

func TestEmbedded(t *testing.T) {
	dir := t.TempDir()
	s, _, err := openIn(t, dir, map[string]any{"embedded": block(nil)})
	if err != nil {
		t.Fatal(err)
	}
	var o outbox
	o.deliver(t.Context(), s, o.alerts(t, s, 1, 20), 10)
	s.subject = template("bans")
	o.deliver(t.Context(), s, o.alerts(t, s, 21, 22), 10)
	s.subject = template("bans.{}.{}")
	o.deliver(t.Context(), s, o.alerts(t, s, 23, 24), 10)

	reader := js(t, s.embedded.server.URL()) // as any program on this machine
	st, err := reader.Stream(t.Context(), "n")
	if err != nil {
		t.Fatal(err)
	}
	want(t, "stored", payloads(stored(t, st)), count(1, 24))
	place, command := s.Destination()
	want(t, "place", place, "stream n in "+dir)
	want(t, "command", command, "etl peek "+dir)
	reader.Conn().Close()

	// A reload opens the successor before it closes the old one.
	next, _, err := openIn(t, dir, map[string]any{"embedded": block(nil), "subject": template("next.{}")})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "server", next.embedded.server.URL(), s.embedded.server.URL())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	o.deliver(t.Context(), next, o.alerts(t, next, 25, 26), 10)
	if _, _, err := openIn(t, dir, map[string]any{"embedded": block(map[string]any{"port": 1})}); err == nil || !strings.Contains(err.Error(), "restart") {
		t.Errorf("another port: %v", err)
	}
	if err := next.Close(); err != nil {
		t.Fatal(err)
	}

	// A later run finds what is there, knows its ids, and goes on.
	later, h, err := openIn(t, dir, map[string]any{"embedded": block(nil)})
	if err != nil {
		t.Fatal(err)
	}
	var again outbox
	again.deliver(t.Context(), later, again.alerts(t, later, 18, 28), 10)
	st, err = js(t, later.embedded.server.URL()).Stream(t.Context(), "n")
	if err != nil {
		t.Fatal(err)
	}
	want(t, "stored", payloads(stored(t, st)), count(1, 28))
	if err := later.Close(); err != nil {
		t.Error(err)
	}
	if strings.Contains(h.log(), "level=ERROR") || strings.Contains(h.log(), "level=WARN") || h.health() != nil {
		t.Error("a stop is no trouble:", h.log(), h.health())
	}
}

func TestEmbeddedServerThatCantStart(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/jetstream", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := openIn(t, dir, map[string]any{"embedded": block(nil)}); err == nil {
		t.Error("started on a file")
	}
	first, _, err := openIn(t, t.TempDir(), map[string]any{"embedded": block(nil)})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(first.embedded.server.URL())
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := openIn(t, t.TempDir(), map[string]any{"embedded": block(map[string]any{"port": port})}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a port that is taken: %v", err)
	}
}
