package lang

import (
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// What is not a component's own is described as a component's is: the decoder
// and the reference pages read both.

// CommonAttrs are the attributes that every block of a type has, beside `from`.
func CommonAttrs(t plan.Type) []component.Attr {
	common := []component.Attr{
		{Name: "description", Type: component.TypeString, Doc: "What it is for, for people."},
		{Name: "enabled", Type: component.TypeBool, Default: true, Doc: "Decided at load time. A disabled source or sink is absent; a disabled filter or transform passes everything."},
		{Name: "errors", Type: component.TypeEnum, Enum: []string{"drop"}, Doc: "`\"drop\"` loses what goes wrong instead of keeping it in the dead letters."},
	}
	switch t {
	case plan.Source:
		common = append(common, component.Attr{Name: "id", Type: component.TypeTemplate, Address: true, Doc: "The id of each event. Default: the position it was read at."})
	case plan.Sink:
		common = append(common,
			component.Attr{Name: "payload", Type: component.TypePayload, Doc: "What is sent. Default: the event as JSON."},
			component.Attr{Name: "required", Type: component.TypeBool, Default: true, Doc: "Whether an event is done only when this sink has taken it. `false` for receipts."},
		)
	}
	return common
}

// CommonBlocks are the blocks that every block of a type may have.
func CommonBlocks(t plan.Type) []component.BlockSpec {
	switch t {
	case plan.Source:
		return []component.BlockSpec{QueueBlock}
	case plan.Sink:
		return []component.BlockSpec{QueueBlock, RetryBlock}
	}
	return nil
}

// QueueBlock bounds what waits: behind a source, or in front of a sink. At the
// top level it is the default of both.
var QueueBlock = component.BlockSpec{
	Name: "queue",
	Doc:  "What may wait behind a source or in front of a sink.",
	Attrs: []component.Attr{
		{Name: "max_events", Type: component.TypeCount, Doc: "Default 10000. With a queue on disk: what is read ahead of it.", Check: atLeastOne},
		{Name: "max_bytes", Type: component.TypeSize, Doc: "Default 16MiB, 1GiB on disk. One larger event is let through alone.", Check: positiveSize},
		{Name: "when_full", Type: component.TypeEnum, Enum: []string{string(plan.Block), string(plan.DropOldest), string(plan.DropNewest)}, Doc: "Default `\"block\"`. What is dropped is counted. A queue on disk drops the oldest an eighth of `max_bytes` at a time."},
		{Name: "storage", Type: component.TypeEnum, Enum: []string{"memory", "disk"}, Doc: "`\"disk\"`, of a source that can't be read again: what it gives is on disk before it is acknowledged, and each sink has its own place in it. Default `\"memory\"`."},
	},
}

// RetryBlock is the pause between tries of a sink whose target fails.
var RetryBlock = component.BlockSpec{
	Name: "retry",
	Doc:  "The pause between tries while the target fails: it doubles, with jitter. A sink tries without end.",
	Attrs: []component.Attr{
		{Name: "min", Type: component.TypeDuration, Doc: "Default 100ms.", Check: positiveDuration},
		{Name: "max", Type: component.TypeDuration, Doc: "Default 30s.", Check: positiveDuration},
	},
}

// RuntimeBlock is about the process.
var RuntimeBlock = component.BlockSpec{
	Name: "runtime",
	Doc:  "The process that runs the pipeline.",
	Attrs: []component.Attr{
		{Name: "name", Type: component.TypeString, Doc: "Names the pipeline's state directory. Default: the file's base name.", Check: pipelineName},
		{Name: "state", Type: component.TypeEnum, Enum: []string{"kept", "temporary"}, Doc: "`\"temporary\"` begins each run anew, unless --state-dir names a place. Default `\"kept\"`."},
		{Name: "workers", Type: component.TypeCount, Doc: "How many goroutines process events. Default: one for each core.", Check: atLeastOne},
		{Name: "memory", Type: component.TypeSize, Doc: "Bounds all events in flight together, and the process softly. Default: the queues' bounds only.", Check: positiveSize},
		{Name: "shutdown_timeout", Type: component.TypeDuration, Doc: "How long a stop may take. Default 30s."},
		{Name: "drain_timeout", Type: component.TypeDuration, Doc: "How long a component that is replaced by a reload may take for what is in flight. Default 5s."},
		{Name: "stats_interval", Type: component.TypeDuration, Doc: "How often the state of the pipeline is logged. Default 1m.", Check: positiveDuration},
	},
}

var defaultRuntime = plan.Runtime{ShutdownTimeout: 30 * time.Second, DrainTimeout: 5 * time.Second, StatsInterval: time.Minute}

var defaultQueue = plan.Queue{MaxEvents: 10_000, MaxBytes: 16 << 20, WhenFull: plan.Block}

// defaultDiskBytes is max_bytes of a queue on disk.
const defaultDiskBytes = 1 << 30

var defaultRetry = plan.Retry{Min: 100 * time.Millisecond, Max: 30 * time.Second}
