package graph

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// A sink that may not go on ends the run, with its own words: at once, not
// after the time that a drain gets, while the others still deliver what they have.
func TestAFatalSinkEndsTheRun(t *testing.T) {
	for name, until := range map[string]int64{"while the source reads": 0, "while the end is drained": 200} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fenced := &collector{fail: func(n int64) error {
					if n < 100 {
						return nil
					}
					return component.Fatal(errors.New("another instance has taken over"))
				}}
				other := &collector{delay: time.Second}
				p := newPipeline()
				p.add(plan.Node{Address: "source.test.numbers", Source: &counter{perLot: 10, until: until}})
				p.add(plan.Node{Address: "sink.test.fenced", Sink: fenced, Required: true}, "source.test.numbers")
				p.add(plan.Node{Address: "sink.test.other", Sink: other, Required: true}, "source.test.numbers")
				p.plan.Runtime.ShutdownTimeout = time.Hour
				g, err := New(p.plan, Options{})
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				err = g.Run(context.Background())
				if !component.IsFatal(err) || !strings.Contains(err.Error(), "sink.test.fenced: another instance has taken over") {
					t.Errorf("the run ended with %v", err)
				}
				if took := time.Since(began); took > time.Minute {
					t.Errorf("the end took %s", took)
				}
				wantNumbers(t, "fenced", fenced.numbers(), sequence(0, 100))
				if got := other.numbers(); len(got) < 100 {
					t.Errorf("the other sink has %d events", len(got))
				}
			})
		})
	}
}
