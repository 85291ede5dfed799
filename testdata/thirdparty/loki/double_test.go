package loki

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/builtin"
	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/lang"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

// server is a Loki that refuses a line with "bad" in it, and answers with
// status instead while that is set.
type server struct {
	mu       sync.Mutex
	status   int
	tenant   string
	lines    []string // taken: labels and line
	ids      []string // of lines
	requests int
	most     int // lines of a request; 0: any number
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	s.tenant = r.Header.Get("X-Scope-OrgID")
	if s.status != 0 {
		http.Error(w, "not now", s.status)
		return
	}
	var pushed struct {
		Streams []struct {
			Stream json.RawMessage
			Values [][]json.RawMessage
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&pushed); err != nil || r.URL.Path != "/loki/api/v1/push" {
		http.Error(w, "no push request", http.StatusNotFound)
		return
	}
	n := 0
	for _, stream := range pushed.Streams {
		n += len(stream.Values)
	}
	if s.most > 0 && n > s.most {
		http.Error(w, "too much", http.StatusRequestEntityTooLarge)
		return
	}
	var lines, ids []string
	for _, stream := range pushed.Streams {
		for _, v := range stream.Values {
			if strings.Contains(string(v[1]), "bad") {
				http.Error(w, "line too long", http.StatusBadRequest)
				return
			}
			lines, ids = append(lines, string(stream.Stream)+" "+string(v[1])), append(ids, string(v[2]))
		}
	}
	s.lines, s.ids = append(s.lines, lines...), append(s.ids, ids...)
	w.WriteHeader(http.StatusNoContent)
}

func (s *server) set(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

// listen starts s at loki:80 in a network of pipes.
func listen(t *testing.T, s http.Handler) *worldtest.World {
	t.Helper()
	world := worldtest.New()
	listener, err := world.Listen(t.Context(), "tcp", "loki:80")
	if err != nil {
		t.Fatal(err)
	}
	h := &http.Server{Handler: s}
	done := make(chan struct{})
	go func() { defer close(done); _ = h.Serve(listener) }()
	t.Cleanup(func() { _ = h.Close(); <-done })
	return world
}

// load is the sink of a pipeline that has these lines in it, and what the
// loader finds wrong.
func load(t *testing.T, block string) (component.Sink, diag.List) {
	t.Helper()
	p, found := loadPlan(t, block)
	if p == nil {
		return nil, found
	}
	for _, n := range p.Nodes {
		if n.Type == plan.Sink {
			return n.Sink, found
		}
	}
	return nil, found
}

func loadPlan(t *testing.T, block string) (*plan.Plan, diag.List) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pipeline.hcl")
	text := "source \"stdin\" \"in\" {}\nsink \"loki\" \"out\" {\n  from = source.stdin.in\n" + block + "\n}\n"
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return lang.Load(file, lang.Options{Mode: lang.Validate, Specs: append(builtin.Specs(), Specs()...), StateDir: t.TempDir()})
}

// run runs the pipeline in world until Loki has its answer to each line.
func run(t *testing.T, world *worldtest.World, block string, lines []string, dead component.Sink) {
	t.Helper()
	p, found := loadPlan(t, block)
	if p == nil {
		t.Fatal(found)
	}
	g, err := graph.New(p, graph.Options{
		World: world.World, DeadLetters: dead,
		Source: func(*plan.Node) component.Source { return source(lines) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// source gives these lines.
type source []string

func (s source) Run(ctx context.Context, _ *component.Host, _ []component.Position, out component.Output) error {
	lot := component.NewLot()
	lot.Stream = &event.Stream{Source: "source.stdin.in", Generation: "g"}
	for i, line := range s {
		from := len(lot.Data)
		lot.Data = append(lot.Data, line...)
		lot.Lines = append(lot.Lines, component.Line{Start: from, End: len(lot.Data), Offset: int64(i)})
	}
	lot.Position = component.Position{Generation: "g", Offset: int64(len(s))}
	return out.Emit(ctx, lot)
}

// deadLetters keeps what went wrong with which payload.
type deadLetters struct{ said []string }

func (*deadLetters) Encode(*component.Message) error             { return nil }
func (*deadLetters) Open(context.Context, *component.Host) error { return nil }
func (*deadLetters) Close() error                                { return nil }
func (d *deadLetters) Deliver(_ context.Context, messages []*component.Message) error {
	for _, m := range messages {
		d.said = append(d.said, string(m.Event.Raw())+": "+m.Event.Failure().Message)
		m.Done()
	}
	return nil
}

// open loads and opens the sink in world.
func open(t *testing.T, world *worldtest.World, block string) component.Sink {
	t.Helper()
	s, found := load(t, block)
	if s == nil {
		t.Fatal(found)
	}
	host := &component.Host{World: world.World, Address: "sink.loki.out", Log: slog.New(slog.DiscardHandler), Health: func(error) {}}
	if err := s.Open(t.Context(), host); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// answers are what the runtime is told, one word a message.
type answers []string

// messages are encoded for s, one for each line; their answers go to a, "" before there is one.
func (a *answers) messages(t *testing.T, s component.Sink, lines ...string) []*component.Message {
	t.Helper()
	*a = make(answers, len(lines))
	var all []*component.Message
	for i, line := range lines {
		agent, _, _ := strings.Cut(line, " ")
		raw := document.NewObject([]document.Member{{Name: "agent", Value: document.NewText(agent)}}).AppendJSON(nil)
		m := &component.Message{
			Event:   event.New(&event.Stream{Generation: "g"}, int64(i), raw, time.Unix(1, 0), ack.Token{}),
			Payload: []byte(line),
			Answer: func(_ *component.Message, _ []document.Member, err error) {
				word := "done"
				switch {
				case errors.Is(err, component.ErrReturned):
					word = "returned"
				case err != nil:
					word = "failed: " + err.Error()
				}
				(*a)[i] += word // twice would show
			},
		}
		if err := s.Encode(m); err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}
