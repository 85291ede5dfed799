package window

import (
	"errors"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
)

var batchSpec = &component.Spec{
	Role:    component.RoleTransform,
	Kind:    "batch",
	Summary: "Makes one event of several: by count, bytes, time and key",
	Doc: `A batch is complete with ` + "`max_events`" + ` members, before it would have more than ` + "`max_bytes`" + `, or ` + "`max_wait`" + ` after its first
member, whichever comes first. It goes on as

` + "```json" + `
{"event_type":"batch","batch_id":"9f86d081884c7d659a2feaa0c55ad015","key":"003","count":2,"events":[{"n":1},{"n":2}]}
` + "```" + `

with the members in the order they came; ` + "`key`" + ` is there if the block has one. ` + "`batch_id`" + ` is the hash of the members' ids: the same
members are the same batch. The event's own id is that and the address of this transform.

A member is acknowledged with its batch, not before: nothing is lost however the process ends. How events that are read again fall into
batches depends on the time they come at, so after a crash a member may be in another batch as well.

| what happens when … | what you see | test |
| --- | --- | --- |
| **crash**: the process is killed with a batch that is not complete, or not delivered | its members are read again | TestBatchLosesNothingWhenKilled |
| **stop**, **reload** that changes this block, the input's end | batches that are not complete go on as they are | TestBatchIsAsTheModel |
| the sink behind refuses a batch | the batch is the event that failed: it is in the dead letters as a whole | TestRejectedBatchIsOneDeadLetter |
| more keys than ` + "`max_keys`" + ` | the oldest batch goes on as it is | TestBatchIsAsTheModel |
| an event alone has more than ` + "`max_bytes`" + ` | it is a batch of its own | TestBatchIsAsTheModel |
| a line is no JSON, or a key has more than 1024 bytes | the event goes to ` + "`.errors`" + ` alone | TestKeysAreBounded |`,
	Attrs: []component.Attr{
		{Name: "key", Type: component.TypeTemplate, Doc: "Events with the same text go into the same batch. nil is the empty text. Default: one batch for all."},
		{Name: "max_events", Type: component.TypeCount, Default: 100, Check: atLeastOne, Doc: "The most members."},
		{Name: "max_bytes", Type: component.TypeSize, Default: int64(512 << 10), Check: positiveBytes, Doc: "The most bytes of all members as JSON; what is around them is not counted."},
		{Name: "max_wait", Type: component.TypeDuration, Default: time.Second, Check: positive, Doc: "How long a member waits for others. So long a source's position may stand still."},
		{Name: "max_keys", Type: component.TypeCount, Default: 1000, Check: atLeastOne, Doc: "How many batches are open at a time. Members count against the memory of `runtime`."},
	},
	Example: `transform "batch" "by_agent" {
  from       = filter.changes
  key        = "{{ agent.id }}"
  max_events = 50
  max_wait   = "2s"
}`,
	NewStage: newBatch,
}

func newBatch(c *component.Config) (component.StageTransform, error) {
	return &batchConfig{
		address: c.Address, key: c.Template("key"), maxEvents: c.Count("max_events"), maxBytes: c.Size("max_bytes"),
		maxWait: c.Duration("max_wait"), maxKeys: c.Count("max_keys"),
	}, nil
}

func positiveBytes(v any) error {
	if v.(int64) < 1 {
		return errors.New("this must be at least one byte")
	}
	return nil
}
