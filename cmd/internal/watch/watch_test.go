package watch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// script is a feed that a test has written.
type script func(ctx context.Context, b *Board) error

func (s script) Run(ctx context.Context, b *Board) error { return s(ctx, b) }

// telling is a feed that tells messages and stays.
func telling(messages ...[]byte) script {
	return func(ctx context.Context, b *Board) error {
		for _, m := range messages {
			b.Message(m)
		}
		<-ctx.Done()
		return nil
	}
}

// started runs o; end gives how it ended.
func started(ctx context.Context, o Options) (end <-chan error) {
	ended := make(chan error, 1)
	if o.Stale == 0 {
		o.Stale = 1 << 40
	}
	go func() { ended <- Run(ctx, o) }()
	return ended
}

// The live table: news, ages, a resize, q.
func TestLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newTerminal(t)
		told := make(chan []byte)
		resized, typed := make(chan struct{}), make(chan byte)
		columns, rows := 80, 24
		o := Options{
			From: "x", Out: v, Resized: resized, Typed: typed, Size: func() (int, int) { return columns, rows },
			Feed: script(func(ctx context.Context, b *Board) error {
				for {
					select {
					case m := <-told:
						b.Message(m)
					case <-ctx.Done():
						return nil
					}
				}
			}),
		}
		end := started(t.Context(), o)
		synctest.Wait()
		if got := v.shows(); len(got) != 4 || got[3] != "no data yet" {
			t.Fatalf("%q", got)
		}
		before := v.writes
		for i := range 40 {
			told <- snapshotOf(fmt.Sprintf("%03d", i+1), 0, "Active", "s", 40)
		}
		time.Sleep(drawGap + time.Millisecond)
		synctest.Wait()
		if v.writes != before+1 {
			t.Errorf("40 events are %d frames", v.writes-before)
		}
		if got := v.shows(); len(got) != 24 || got[23] != "… 21 more" {
			t.Errorf("%q", got)
		}
		time.Sleep(time.Minute) // the clock goes on, and nothing else is written
		synctest.Wait()
		columns, rows = 40, 10
		resized <- struct{}{}
		synctest.Wait()
		if got := v.shows(); len(got) != 10 || slices.ContainsFunc(got, func(l string) bool { return cells(l) > 39 }) {
			t.Errorf("after a resize: %q", got)
		}
		typed <- 'x'
		typed <- 'q'
		if err := <-end; err != nil {
			t.Error(err)
		}
		if !v.restored() {
			t.Error("the terminal is not as it was")
		}
		synctest.Wait()
	})
}

// However it ends, the terminal is as it was.
func TestTheTerminalIsRestored(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		feed script
		want error
	}{
		"a signal":              {telling(), nil},
		"the feed has an error": {func(context.Context, *Board) error { return broken }, broken},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newTerminal(t)
				ctx, cancel := context.WithCancel(t.Context())
				end := started(ctx, Options{Feed: c.feed, Out: v, Size: func() (int, int) { return 80, 24 }})
				time.Sleep(5 * time.Second)
				cancel()
				if err := <-end; !errors.Is(err, c.want) {
					t.Error(err)
				}
				if !v.restored() {
					t.Error("the terminal is not as it was")
				}
			})
		})
	}
}

func TestOnce(t *testing.T) {
	whole := telling(snapshotOf("001", 0, "Active", "s", 2), disconnectedAt("002", 1), heartbeat(2, 2, ""))
	for name, c := range map[string]struct {
		feed script
		want string // in the output, or else in the error
	}{
		"whole":            {whole, "\n002  agent-002  10.0.0.1  Ubuntu 24.04  disconnected"},
		"none at all":      {telling(heartbeat(2, 0, "")), "0 agents"},
		"some are missing": {telling(snapshotOf("001", 0, "Active", "s", 2), heartbeat(2, 2, "")), "not all agents are known after 10s, only 1"},
		"nothing":          {telling(), "not all agents are known after 10s: nothing has come"},
		"what a stream has kept": {func(ctx context.Context, b *Board) error {
			b.Replay(true)
			b.Message(disconnectedAt("002", 1))
			b.Replay(false)
			<-ctx.Done()
			return nil
		}, "1 agent"},
		"an empty stream": {func(ctx context.Context, b *Board) error { b.Replay(true); b.Replay(false); <-ctx.Done(); return nil }, "nothing has come"},
		"trouble that is there yet": {func(ctx context.Context, b *Board) error {
			b.Trouble(errors.New("it is locked"))
			<-ctx.Done()
			return nil
		}, "it is locked"},
		"trouble without hope": {func(ctx context.Context, b *Board) error {
			b.Hopeless(1)
			b.Trouble(errors.New("no table"))
			<-ctx.Done()
			return nil
		}, "no table"},
		"encrypted": {telling([]byte(`{"encrypted":{}}`)), "messages are encrypted: write --key FILE"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				start := time.Now()
				err := <-started(t.Context(), Options{From: "x", Feed: c.feed, Out: &out, Once: true, Timeout: 10 * time.Second})
				got := out.String()
				if err != nil {
					got += err.Error()
				}
				if !strings.Contains(got, c.want) {
					t.Errorf("%q, want %q", got, c.want)
				}
				if name == "trouble without hope" && time.Since(start) > 0 {
					t.Error("it was waited for")
				}
			})
		})
	}
}

func TestLinesAndJSON(t *testing.T) {
	messages := [][]byte{
		snapshotOf("001", 0, "Active", "s", 2), snapshotOf("002", 0, "Active", "s", 2),
		told("disconnected", "001", 5, map[string]any{"current_status": "Disconnected", "status_code": 4, "agent_name": "a\n\x1b\u009b"}),
		told("registered", "003", 6, map[string]any{"previous_status": "Unknown", "current_status": "NeverConnected", "ip_address": nil}),
		told("removed", "002", 7, map[string]any{"current_status": "Unknown"}),
		marshal(map[string]any{"event_type": "manager_restart", "event_id": "r", "timestamp": at(8), "manager_node": "m1", "agents": 1200}),
	}
	run := func(o Options) (lines []string) {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			ctx, cancel := context.WithCancel(t.Context())
			o.Feed, o.Out = telling(messages...), &out
			end := started(ctx, o)
			synctest.Wait()
			cancel()
			if err := <-end; err != nil {
				t.Error(err)
			}
			lines = strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		})
		return lines
	}
	want := []string{
		`2026-11-21T12:00:05Z 001 a\n\x1b\u009b: active -> disconnected (10.0.0.1, m1)`,
		`2026-11-21T12:00:06Z 003 agent-003: registered, never connected (m1)`,
		`2026-11-21T12:00:07Z 002 agent-002: removed, was active (10.0.0.1, m1)`,
		`2026-11-21T12:00:08Z manager m1 has started anew and reset 1,200 agents`,
	}
	if got := run(Options{}); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := run(Options{Status: []Status{NeverConnected}}); !slices.Equal(got, want[1:2]) {
		t.Errorf("only never connected: %q", got)
	}
	if got := run(Options{Status: []Status{Disconnected}}); !slices.Equal(got, []string{want[0], want[3]}) {
		t.Errorf("only disconnected: %q", got)
	}
	got := run(Options{JSON: true})
	for i, w := range []string{
		`{"time":"2026-11-21T12:00:05.000Z","event_type":"disconnected","event_id":"evt_001_5_disconnected","previous_status":"Active","agent_id":"001","agent_name":"a\n\u001b\u009b",`,
		`{"time":"2026-11-21T12:00:06.000Z","event_type":"registered",`, `{"time":"2026-11-21T12:00:07.000Z","event_type":"removed",`,
		`{"time":"2026-11-21T12:00:08.000Z","event_type":"manager_restart","event_id":"r","manager_node":"m1","agents":1200}`,
	} {
		if i >= len(got) || !strings.HasPrefix(got[i], w) || !json.Valid([]byte(got[i])) {
			t.Errorf("%q\nwant\n%s", got, w)
		}
	}
}
