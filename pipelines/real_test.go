package pipelines_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/lang"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/world"
)

// realCases lies beside the repository where the owner has put it; CI has it.
const realCases = "../../shared/alerts/real/cases.jsonl"

// realCase is one alert, and what the reference sends for it.
type realCase struct {
	Name       string
	Alert      string
	OwnNetwork *string `json:"own_network"`
	Kafka      json.RawMessage
	Wazuh      *string
}

// TestRealAlerts sends real alerts through the whole of wazuh-dfn.hcl, and
// holds every message and datagram against what wazuh-dfn itself makes of them.
func TestRealAlerts(t *testing.T) {
	text, err := os.ReadFile(realCases)
	if errors.Is(err, os.ErrNotExist) && os.Getenv("CI") != "true" {
		t.Skipf("the real alerts are not in the repository, and not at %s", realCases)
	}
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string][]realCase{}
	for line := range bytes.Lines(text) {
		var c realCase
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		network := ""
		if c.OwnNetwork != nil {
			network = *c.OwnNetwork
		}
		cases[network] = append(cases[network], c)
	}
	total := 0
	for network, list := range cases {
		total += len(list)
		t.Run("own network "+network, func(t *testing.T) {
			vars := map[string]string{}
			if network != "" {
				vars["own_network"] = network
			}
			sent := deliver(t, load(t, "wazuh-dfn.hcl", lang.DryRun, "", vars), list)
			for i, c := range list {
				message, datagram := sent["sink.kafka.dfn"][i], sent["sink.wazuh.receipt"][i]
				wantMessage, wantDatagram := "", ""
				if string(c.Kafka) != "null" {
					wantMessage = string(c.Kafka)
				}
				if c.Wazuh != nil {
					wantDatagram = *c.Wazuh
				}
				if got, want := canonical(t, message), canonical(t, wantMessage); got != want {
					t.Errorf("%s: the message is\n%.2000s\nwant\n%.2000s", c.Name, got, want)
				}
				if datagram != wantDatagram {
					t.Errorf("%s: the datagram is\n%s\nwant\n%s", c.Name, datagram, wantDatagram)
				}
			}
		})
	}
	if total < 200 {
		t.Errorf("%d cases only", total)
	}
}

// deliver runs the alerts of cases through p, and returns what each sink would
// send for each, by the sink's address and the number of the case.
func deliver(t *testing.T, p *plan.Plan, cases []realCase) map[string]map[int]string {
	t.Helper()
	var text strings.Builder
	at := map[int64]int{}
	for i, c := range cases {
		at[int64(text.Len())] = i
		text.WriteString(c.Alert + "\n")
	}
	var mu sync.Mutex
	sent := map[string]map[int]string{}
	g, err := graph.New(p, graph.Options{
		World: world.OS(),
		Source: func(n *plan.Node) component.Source {
			return given{n.Source.(component.TextSource), []byte(text.String())}
		},
		Sink: func(n *plan.Node) component.Sink {
			return written{n.Sink, func(m *component.Message) {
				mu.Lock()
				defer mu.Unlock()
				if sent[n.Address] == nil {
					sent[n.Address] = map[int]string{}
				}
				sent[n.Address][at[m.Event.Offset()]] += string(m.Payload)
			}}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return sent
}

// given is a source whose input is text.
type given struct {
	component.TextSource
	text []byte
}

func (g given) Run(ctx context.Context, _ *component.Host, _ []component.Position, out component.Output) error {
	return g.Decode(g.text, out)
}

// written is a sink that writes down what it would send.
type written struct {
	component.Sink
	write func(*component.Message)
}

func (w written) Open(context.Context, *component.Host) error { return nil }
func (w written) Close() error                                { return nil }

func (w written) Deliver(_ context.Context, messages []*component.Message) error {
	for _, m := range messages {
		w.write(m)
		m.Done()
	}
	return nil
}

// canonical is JSON with its members in order, one form for each value and one
// for each number.
func canonical(t *testing.T, text string) string {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var b strings.Builder
	for {
		token, err := d.Token()
		if err == io.EOF {
			return b.String()
		}
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if n, ok := token.(json.Number); ok {
			r, ok := new(big.Rat).SetString(n.String())
			if !ok {
				t.Fatalf("%s is no number", n)
			}
			token = r
		}
		fmt.Fprintf(&b, "%T %v\n", token, token)
	}
}

// TestRealCasesStayOutside holds that they are not in the repository.
func TestRealCasesStayOutside(t *testing.T) {
	found, err := filepath.Glob("../testdata/alerts/real*")
	if err != nil || len(found) > 0 {
		t.Errorf("%v %v", found, err)
	}
}
