package loki

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/plan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const block = `  url    = "http://loki:80/"
  labels = { job = "wazuh", agent = "{{ agent }}", none = "{{ absent }}" }`

func TestLinesArriveByStream(t *testing.T) {
	var loki server
	s := open(t, listen(t, &loki), block+"\n  tenant = \"dfn\"")
	var said answers
	if err := s.Deliver(t.Context(), said.messages(t, s, `a "one"`, "b two", "a three")); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`{"job":"wazuh","agent":"a"} "a \"one\""`,
		`{"job":"wazuh","agent":"a"} "a three"`,
		`{"job":"wazuh","agent":"b"} "b two"`,
	}
	if !slices.Equal(loki.lines, want) {
		t.Errorf("got  %q\nwant %q", loki.lines, want)
	}
	if want := []string{`{"event_id":"g@0"}`, `{"event_id":"g@2"}`, `{"event_id":"g@1"}`}; !slices.Equal(loki.ids, want) {
		t.Errorf("the ids are %q", loki.ids)
	}
	if loki.tenant != "dfn" || loki.requests != 1 || !slices.Equal(said, answers{"done", "done", "done"}) {
		t.Errorf("tenant %q, %d requests, answers %q", loki.tenant, loki.requests, said)
	}
}

// One line that Loki refuses costs no other one; a request that is too large
// is made smaller. The runtime sees to both.
func TestRefusedLinesGoAlone(t *testing.T) {
	loki := server{most: 7}
	var lines, want []string
	for i := range 100 {
		line := fmt.Sprintf(`{"agent":"a","n":%d}`, i)
		if i == 13 || i == 14 || i == 99 {
			line = fmt.Sprintf(`{"agent":"a","bad":%d}`, i)
		} else {
			want = append(want, fmt.Sprintf(`{"job":"wazuh","agent":"a"} %q`, line))
		}
		lines = append(lines, line)
	}
	dead := &deadLetters{}
	run(t, listen(t, &loki), block, lines, dead)
	slices.Sort(loki.lines) // requests may pass each other
	slices.Sort(want)
	if !slices.Equal(loki.lines, want) {
		t.Errorf("Loki has %d lines, want %d: %q", len(loki.lines), len(want), loki.lines)
	}
	if got := dead.said; len(got) != 3 || got[0] != `{"agent":"a","bad":13}: Loki refuses the line: 400 line too long` {
		t.Errorf("the dead letters are %q", got)
	}
}

// Whose fault an answer is: a row for each. What is Loki's trouble leaves the
// message without an answer, and the next Deliver has it again.
func TestWhoseFault(t *testing.T) {
	for status, its := range map[int]string{
		http.StatusNoContent: "nobody", http.StatusOK: "nobody",
		http.StatusBadRequest: "a line", http.StatusUnprocessableEntity: "a line", http.StatusRequestEntityTooLarge: "the size",
		http.StatusUnauthorized: "Loki", http.StatusForbidden: "Loki", http.StatusNotFound: "Loki", http.StatusTooManyRequests: "Loki",
		http.StatusInternalServerError: "Loki", http.StatusServiceUnavailable: "Loki", http.StatusFound: "Loki",
	} {
		err := verdict(status, http.Header{}, "text", time.Now())
		refusal, tooLarge := component.RefusalOf(err)
		got := "Loki"
		switch {
		case err == nil:
			got = "nobody"
		case tooLarge:
			got = "the size"
		case refusal != nil:
			got = "a line"
		}
		if got != its {
			t.Errorf("%d is the fault of %s, want %s", status, got, its)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2025, 6, 2, 8, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "30": 30 * time.Second, " 1 ": time.Second, "0": 0, "-5": 0, "soon": 0, "1.5": 0, "99999999999999999999": 0,
		"Mon, 02 Jun 2025 08:00:45 GMT": 45 * time.Second,
		"Mon, 02 Jun 2025 07:00:00 GMT": 0, // gone by
		"4000000000":                    component.LongestRetryAfter,
	} {
		err := verdict(http.StatusTooManyRequests, http.Header{"Retry-After": {header}}, "slow down", now)
		if got := component.RetryAfterOf(err); got != want || err.Error() != "pushing to Loki: 429 slow down" {
			t.Errorf("%q: %v, wait %v, want %v", header, err, got, want)
		}
	}
}

func TestTroubleIsTriedAgain(t *testing.T) {
	var loki server
	world := listen(t, &loki)
	s := open(t, world, block)
	var said answers
	messages := said.messages(t, s, "a 1", "a 2")
	loki.set(http.StatusServiceUnavailable)
	if err := s.Deliver(t.Context(), messages); err == nil || !strings.Contains(err.Error(), "503 not now") {
		t.Errorf("the error is %v", err)
	}
	loki.set(0)
	world.Net.Cut()
	if !slices.Equal(said, answers{"", ""}) {
		t.Fatalf("the answers are %q", said)
	}
	if err := s.Deliver(t.Context(), messages); err != nil { // over a new connection
		t.Fatal(err)
	}
	if !slices.Equal(said, answers{"done", "done"}) {
		t.Errorf("the answers are %q", said)
	}
}

// A Loki that does not answer holds up no stop: all comes back.
func TestAStopReturnsWhatHasNoAnswer(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	s := open(t, listen(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then the server sees the client go
		stop()
		<-r.Context().Done()
	})), block)
	var said answers
	if err := s.Deliver(ctx, said.messages(t, s, "a 1", "a 2")); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(said, answers{"returned", "returned"}) {
		t.Errorf("the answers are %q", said)
	}
}

func TestALineNeedsALabel(t *testing.T) {
	s, found := load(t, "  url = \"http://loki\"\n  labels = { none = \"{{ absent }}\" }")
	if s == nil {
		t.Fatal(found)
	}
	m := &component.Message{Event: event.New(&event.Stream{}, 0, []byte("{}"), time.Time{}, ack.Token{})}
	if err := s.Encode(m); err == nil || !strings.Contains(err.Error(), "label") {
		t.Errorf("the error is %v", err)
	}
}

func TestFindings(t *testing.T) {
	for _, c := range []struct{ block, want string }{
		{`labels = { job = "wazuh" }`, "url"},
		{"url = \"loki:3100\"\nlabels = { job = \"wazuh\" }", "https://HOST:PORT"},
		{"url = \"http://loki\"\nlabels = { \"a-b\" = \"x\" }", `"a-b" is no name of a label`},
		{"url = \"http://loki\"\nlabels = { a = \"x\" }\ntenannt = \"x\"", "tenant"},
	} {
		s, found := load(t, c.block)
		if s != nil || len(found) != 1 || !strings.Contains(found[0].Message+found[0].Suggestion, c.want) {
			t.Errorf("%s:\nfound %v, want %s", c.block, found, c.want)
		}
	}
}

// Sinks that name one connection have one client, and none that don't.
func TestSinksOfOneConnectionShareTheClient(t *testing.T) {
	loki := new(server)
	p, found := loadPlan(t, `  connection = connection.loki.main
  labels     = { job = "a" }
}
connection "loki" "main" {
  url = "http://loki:80"
}
sink "loki" "second" {
  from       = source.stdin.in
  connection = connection.loki.main
  labels     = { job = "b" }
}
sink "loki" "own" {
  from   = source.stdin.in
  url    = "http://loki:80"
  labels = { job = "c" }`)
	if p == nil {
		t.Fatal(found)
	}
	g, err := graph.New(p, graph.Options{World: listen(t, loki).World, Source: func(*plan.Node) component.Source { return source{"{}"} }})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	clients := map[string]*client{}
	for _, n := range p.Nodes {
		if s, is := n.Sink.(*sink); is {
			clients[n.Name] = s.client
		}
	}
	if len(loki.lines) != 3 || clients["out"] != clients["second"] || clients["out"] == clients["own"] {
		t.Errorf("%v, %v", loki.lines, clients)
	}
}
