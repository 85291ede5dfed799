// Package generate holds the source that makes its events up.
package generate

import (
	"fmt"

	"github.com/wazuh-etl/etl/runtime/component"
)

// Specs are the components of this package.
func Specs() []*component.Spec {
	return []*component.Spec{{
		Role:      component.RoleSource,
		Kind:      "generate",
		Summary:   "Makes up Wazuh alerts, to try a pipeline with and to measure it",
		Doc:       doc,
		Codec:     true,
		Shape:     func(*component.Config) string { return "schemas/alert.json" },
		NewSource: newSource,
		Example: `source "generate" "alerts" {
  rate  = "1000/s"
  count = 100000
}
`,
		Attrs: []component.Attr{
			{Name: "rate", Type: component.TypeRate,
				Doc: "The most alerts that are made in a time. Left out: as fast as they can be taken."},
			{Name: "count", Type: component.TypeCount, Check: atLeastOne,
				Doc: "How many alerts to make before the source ends. Left out: it goes on until the pipeline stops."},
			{Name: "seed", Type: component.TypeCount, Default: 1,
				Doc: "Alerts of one seed are the same in every run, their timestamps too."},
		},
	}}
}

func atLeastOne(value any) error {
	if n, ok := value.(int); ok && n < 1 {
		return fmt.Errorf("must be at least 1")
	}
	return nil
}

const doc = `The alerts are made in the proportions of a busy manager's alerts file: by count 70 % Linux alerts that none of the
shipped pipelines wants (0.6 to 3 KB), 25 % Windows events of which they want a third (2 to 4 KB), 5 % fail2ban with
public and private addresses.

The source can't be read again: it keeps no position, and every start begins with the first alert. So that a sink
doesn't take the alerts of two runs for the same, an event's id has an id of the run in front of the alert's number.

| what happens when … | then | test |
| --- | --- | --- |
| the sinks are slower than ` + "`rate`" + ` | it waits for them | TestStops |
| **reload**: its attributes have changed | the new one begins with its first alert, under ids of its own | TestTwoRunsGiveTheSameAlertsUnderOtherIDs |
| **reload**: they have not | it goes on | TestReloadKeepsWhatDidNotChange |
| **crash** | what was in flight is gone, the next run begins with the first alert; with ` + "`queue { storage = \"disk\" }`" + ` what is in the queue is delivered first | TestTwoRunsGiveTheSameAlertsUnderOtherIDs, TestQueueOnDiskResumesEachSink |
`
