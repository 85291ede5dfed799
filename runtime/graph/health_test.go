package graph

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// moody is a source that says how it is.
type moody struct {
	counter
	says []error
}

func (m *moody) Run(ctx context.Context, h *component.Host, from []component.Position, out component.Output) error {
	for _, err := range m.says {
		h.Health(err)
	}
	return m.counter.Run(ctx, h, from, out)
}

// A change of health is told once, in words that fit; a call that was ended
// from here is none.
func TestHealthIsTold(t *testing.T) {
	var log bytes.Buffer
	stopped := fmt.Errorf("asking: %w", context.Canceled)
	p := newPipeline()
	p.add(plan.Node{Address: "source.test.numbers", Source: &moody{counter: counter{until: 10, perLot: 3},
		says: []error{stopped, errors.New("locked"), errors.New("locked"), stopped, nil, stopped, nil}}})
	p.add(plan.Node{Address: "sink.test.all", Sink: &collector{}, Required: true}, "source.test.numbers")
	if _, err := run(t, p, Options{DeadLetters: &collector{}, Log: slog.New(slog.NewTextHandler(&log, nil))}); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{`msg="the source fails, and is tried again" component=source.test.numbers error=locked`, `msg="the source is back"`} {
		if strings.Count(log.String(), text) != 1 {
			t.Errorf("%s is not told once in:\n%s", text, log.String())
		}
	}
	if strings.Contains(log.String(), "canceled") {
		t.Errorf("a stop was told as trouble:\n%s", log.String())
	}
}
