package graph

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// reasons is a sink that keeps why events failed.
type reasons struct {
	collector
	mu   sync.Mutex
	said []string
}

func (r *reasons) Deliver(_ context.Context, messages []*component.Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range messages {
		f := m.Event.Failure()
		r.said = append(r.said, f.Component+": "+f.Message+" "+f.Trace)
		m.Done()
	}
	return nil
}

// A script or a target may say a secret: neither who listens to errors nor the
// dead letters see it.
func TestReasonsShowNoSecret(t *testing.T) {
	p := newPipeline()
	p.plan.Secrets = []string{"hunter22", "hunter2"}
	listener, dead := &reasons{}, &reasons{}
	sink := &collector{fail: func(int64) error { return event.Failf("refused", "the target refuses hunter22") }}
	p.add(plan.Node{Address: "source.test.numbers", Source: &counter{until: 1, perLot: 1}})
	p.add(plan.Node{Address: "transform.test.script", Transform: worker(func(*event.Event, func(*event.Event)) error {
		f := event.Failf("lua", "no login with hunter2")
		f.Trace = "in main: hunter2"
		return f
	})}, "source.test.numbers")
	p.add(plan.Node{Address: "sink.test.all", Sink: sink, Required: true}, "source.test.numbers")
	p.add(plan.Node{Address: "sink.test.listener", Sink: listener, Required: true}, "sink.test.all.errors")
	if _, err := run(t, p, Options{DeadLetters: dead}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(listener.said, "|"); got != "sink.test.all: the target refuses (secret) " {
		t.Errorf("the listener is told %q", got)
	}
	if got := strings.Join(dead.said, "|"); got != "transform.test.script: no login with (secret) in main: (secret)" {
		t.Errorf("the dead letters are told %q", got)
	}
}
