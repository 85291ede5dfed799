package window

import (
	"math"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
)

var throttleSpec = &component.Spec{
	Role:    component.RoleTransform,
	Kind:    "throttle",
	Summary: "Lets at most so many events of each key through, and tells how many it suppressed",
	Doc: `Each key has a bucket of ` + "`burst`" + ` tokens that fills at ` + "`rate`" + `. An event that finds a token goes on as it is;
one that does not is suppressed. At the end of a burst comes one event that stands for all it suppressed:

` + "```json" + `
{"event_type":"suppressed","message":"118 events of \"003\" suppressed within 9.8s","component":"transform.throttle.calm",
 "key":"003","suppressed":118,"first":"2026-03-01T08:00:00Z","last":"2026-03-01T08:00:09.8Z","example":{"agent":{"id":"003"}},"latest":{"agent":{"id":"003"}}}
` + "```" + `

` + "`example`" + ` is the first event that was suppressed, so that templates behind it find what they need: ` + "`{{ agent.id ?? example.agent.id }}`" + `.
` + "`latest`" + ` is the last one; it is missing if an event of the key went through after it, so that what it says is never older than what was let through.
Time is that of the clock when the event comes here, not what is written in it.

| what happens when … | what you see | test |
| --- | --- | --- |
| events are suppressed | they are counted as dropped, reason ` + "`suppressed`" + `, and in the event that stands for them | TestThrottleIsAsTheModel |
| **crash** | The position of the source stays in front of the first event that was suppressed and not told of: what came since is read again. No count is lost; what went through since then comes twice. | TestThrottleKeepsThePosition |
| **stop**, **reload** that changes this block, the input's end | what was suppressed is told of; buckets begin full again | TestThrottleTellsAtTheEnd |
| more keys than ` + "`max_keys`" + ` | the key that was quiet for longest is forgotten: what it suppressed is told of, and its bucket begins full again | TestThrottleForgetsTheOldestKey |
| dead letters are replayed | they go through, and take no token | TestReplayedEventsPass |
| a key has more than 1024 bytes | the event goes to ` + "`.errors`" + ` | TestKeysAreBounded |`,
	Attrs: []component.Attr{
		{Name: "key", Type: component.TypeTemplate, Doc: "Events with the same text share a bucket. nil is the empty text. Default: one bucket for all."},
		{Name: "rate", Type: component.TypeRate, Required: true, Doc: "How many events go through in the long run: `\"10/s\"`, `\"300/m\"`."},
		{Name: "burst", Type: component.TypeCount, Doc: "How many go through at once after a quiet time. Default: what `rate` gives in a second, at least 1."},
		{Name: "quiet", Type: component.TypeDuration, Default: 10 * time.Second, Check: positive, Doc: "A burst is over when nothing was suppressed for so long."},
		{Name: "tell_after", Type: component.TypeDuration, Default: time.Minute, Check: positive, Doc: "A burst that goes on is told of at the latest so long after its first suppressed event, and again. So long a source's position may stand still."},
		{Name: "max_keys", Type: component.TypeCount, Default: 10_000, Check: atLeastOne, Doc: "How many keys are known at a time; each costs some 300 bytes, and two events while it is suppressed."},
	},
	Example: `transform "throttle" "calm" {
  from  = filter.logins
  key   = "{{ agent.id }}/{{ rule.id }}"
  rate  = "10/m"
  burst = 5
}`,
	NewStage: newThrottle,
}

func newThrottle(c *component.Config) (component.StageTransform, error) {
	t := &throttleConfig{
		address: c.Address, key: c.Template("key"), rate: c.Rate("rate"), burst: float64(c.Count("burst")),
		quiet: c.Duration("quiet"), longest: c.Duration("tell_after"), maxKeys: c.Count("max_keys"),
	}
	if c.Known("rate") && t.rate <= 0 {
		return nil, c.Error("rate", diag.InvalidValue, "nothing would ever go through", `write what may go through, "10/s"`)
	}
	if !c.Has("burst") {
		t.burst = math.Max(1, math.Floor(t.rate))
	} else if c.Known("burst") && t.burst < 1 {
		return nil, c.Error("burst", diag.InvalidValue, "nothing would ever go through", "write at least 1")
	}
	return t, nil
}
