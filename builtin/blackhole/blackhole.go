// Package blackhole is sink "blackhole".
package blackhole

import (
	"context"

	"github.com/wazuh-etl/etl/runtime/component"
)

// Specs are the components of this package.
func Specs() []*component.Spec {
	return []*component.Spec{{
		Role:      component.RoleSink,
		Kind:      "blackhole",
		Summary:   "Takes every event and forgets it: to count, to measure, to try a pipeline",
		Guarantee: "Delivered means: nothing at all. Every event is acknowledged at once.",
		Doc: `How many events came is in the statistics.

| what goes wrong | whose error | then | test |
| --- | --- | --- | --- |
| nothing can: payloads are not looked at | nobody's | every event is taken | TestTakesEverything |

| what happens when … | then | test |
| --- | --- | --- |
| **down** | there is no target that could be | TestTakesEverything |
| **full** | it never is | TestTakesEverything |
| **bad data** | it is taken as everything else | TestTakesEverything |
| **reload** | what came is taken, there is nothing to hand over | TestReloadPutsANewSinkBehindTheSameQueue |
| **crash** | what came since the last checkpoint comes again | TestEachSinkResumesWhereItStood |
`,
		NewSink: func(*component.Config) (component.Sink, error) { return sink{}, nil },
		Example: `sink "blackhole" "nowhere" { from = source.file.alerts }
`,
	}}
}

type sink struct{}

func (sink) Encode(*component.Message) error                   { return nil }
func (sink) Open(context.Context, *component.Host) error       { return nil }
func (sink) Close() error                                      { return nil }
func (sink) Limits() (messages int, bytes int64, inFlight int) { return 10_000, 64 << 20, 0 }

// Deliver acknowledges.
func (sink) Deliver(_ context.Context, messages []*component.Message) error {
	for _, m := range messages {
		m.Done()
	}
	return nil
}
