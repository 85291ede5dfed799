package window

import (
	"errors"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
)

var anomalySpec = &component.Spec{
	Role:    component.RoleTransform,
	Kind:    "anomaly",
	Summary: "Counts events, and emits one of its own where there are unusually many",
	Doc: `What comes is counted and goes no further, only anomalies come out: put it beside the way of the events, not into it. At least
one of the two blocks says what is unusual.

` + "`share`" + `: more than this share of the fleet matched within the last ` + "`window`" + `. The fleet is all keys that were seen lately, in events
that match and in those that do not. It is told once, and again after the share was not too high in between.

` + "```json" + `
{"event_type":"anomaly","anomaly":"share","message":"31 of 120 (26 %) within 5m0s, more than 20 %","component":"transform.anomaly.outage",
 "window_seconds":300,"count":31,"fleet":120,"share":0.2583,"above":0.2,"keys":["003","017"]}
` + "```" + `

` + "`keys`" + ` are at most 100, the one that matched longest ago first.

` + "`history`" + `: more events of a key in this window than the mean of the windows before and so many standard deviations. A window begins at each
full ` + "`window`" + ` since 1970. The deviation counts as at least the root of the mean, and at least 1. It is told at most once in
each window, as soon as there are too many; that window is history afterwards like any other.

` + "```json" + `
{"event_type":"anomaly","anomaly":"history","message":"…","component":"transform.anomaly.outage","window_seconds":300,
 "key":"5710","count":91,"mean":12.4,"deviation":4.1,"limit":24.7,"windows":24}
` + "```" + `

Time is that of the clock when the event comes here, not what is written in it: after a long stop, a backlog that is read at once looks like many events.

| what happens when … | what you see | test |
| --- | --- | --- |
| an event was counted | it is counted as dropped, reason ` + "`counted`" + `, and acknowledged | TestShareOfTheFleet |
| **crash**: an anomaly was not delivered | the event that it came with is read again | TestAnomalyComesAgainWhenKilled |
| **crash** | fleet and history are as they were at most 10 s before; events that are read again are counted again | TestAnomalyRemembers |
| **stop**, **reload** that changes this block | fleet and history are kept, the history if ` + "`window`" + ` is as before | TestAnomalyRemembers |
| the state can't be stored, or is damaged | the log says so, learning goes on or begins anew | TestAnomalyWithoutState |
| more keys than ` + "`max_keys`" + ` | the one that was quiet for longest is forgotten | TestAnomalyForgetsTheOldestKey |
| dead letters are replayed | they are not counted again | TestReplayedEventsAreNotCounted |
| ` + "`match`" + ` gives neither true nor false, or a key has more than 1024 bytes | the event goes to ` + "`.errors`" + ` | TestAnomalyFailures |`,
	Attrs: []component.Attr{
		{Name: "key", Type: component.TypeTemplate, Doc: "Whom the event is about: a member of the fleet, and whose history is looked at. nil is the empty text. Default: all events have the same; `share` needs one."},
		{Name: "match", Type: component.TypeTemplate, Doc: "Exactly one `{{ expr }}` that is true for what is counted. Default: all."},
		{Name: "window", Type: component.TypeDuration, Default: 5 * time.Minute, Check: atLeastASecond, Doc: "The time in which events are counted, at least 1s."},
		{Name: "max_keys", Type: component.TypeCount, Default: 10_000, Check: atLeastOne, Doc: "How many keys are known at a time. All are written every 10 s while events come: some 30 bytes each, and 4 for each window of its history."},
	},
	Blocks: []component.BlockSpec{{
		Name: "share",
		Doc:  "Too large a share of the fleet within the window.",
		Attrs: []component.Attr{
			{Name: "above", Type: component.TypeNumber, Required: true, Check: aShare, Doc: "From 0 to less than 1: `0.2` is 20 %."},
			{Name: "at_least", Type: component.TypeCount, Default: 2, Check: atLeastOne, Doc: "Fewer keys are no anomaly, whatever their share."},
			{Name: "of", Type: component.TypeCount, Check: atLeastOne, Doc: "The size of the fleet. Default: as many keys as were seen within `remember`."},
			{Name: "remember", Type: component.TypeDuration, Default: 24 * time.Hour, Check: positive, Doc: "A key that was not seen for so long is no longer of the fleet."},
		},
	}, {
		Name: "history",
		Doc:  "More events of a key than usual.",
		Attrs: []component.Attr{
			{Name: "deviations", Type: component.TypeNumber, Default: 3.0, Check: positiveNumber, Doc: "How many standard deviations above the mean are still usual."},
			{Name: "windows", Type: component.TypeCount, Default: 24, Check: atLeastOne, Doc: "How many windows before are looked at."},
			{Name: "learn", Type: component.TypeCount, Default: 6, Check: atLeastOne, Doc: "With fewer windows before, nothing is unusual."},
			{Name: "at_least", Type: component.TypeCount, Default: 10, Check: atLeastOne, Doc: "Fewer events in a window are no anomaly."},
		},
	}},
	Example: `transform "anomaly" "outage" {
  from   = source.wazuh_agents.agents
  key    = "{{ agent_id }}"
  match  = "{{ event_type == 'disconnected' }}"
  window = "5m"
  share { above = 0.2 }
}`,
	NewStage: newAnomaly,
}

func newAnomaly(c *component.Config) (component.StageTransform, error) {
	a := &anomalyConfig{address: c.Address, key: c.Template("key"), match: c.Template("match"), window: c.Duration("window"), maxKeys: c.Count("max_keys")}
	if b := c.Block("share"); b != nil {
		a.share = &shareConfig{above: b.Number("above"), atLeast: b.Count("at_least"), of: b.Count("of"), remember: max(b.Duration("remember"), a.window)}
		if a.key == nil && c.Known("key") {
			return nil, b.Error("", diag.InvalidValue, "a share of the fleet needs `key`", `write who an event is about, key = "{{ agent.id }}"`)
		}
	}
	if b := c.Block("history"); b != nil {
		a.history = &historyConfig{deviations: b.Number("deviations"), atLeast: b.Count("at_least"), windows: b.Count("windows"), learn: b.Count("learn")}
		if b.Known("learn") && b.Known("windows") && a.history.learn > a.history.windows {
			return nil, b.Error("learn", diag.InvalidValue, "so many windows are never looked at: `windows` is less", "write at most what `windows` is")
		}
	}
	if a.share == nil && a.history == nil {
		return nil, c.Error("", diag.InvalidValue, "nothing says what is unusual", "write a block share { above = 0.2 } or history {}")
	}
	return a, nil
}

func atLeastASecond(v any) error {
	if v.(time.Duration) < time.Second {
		return errors.New("this must be at least 1s")
	}
	return nil
}

func aShare(v any) error {
	if n := v.(float64); n < 0 || n >= 1 {
		return errors.New("this must be from 0 to less than 1: 0.2 is 20 %")
	}
	return nil
}

func positiveNumber(v any) error {
	if v.(float64) <= 0 {
		return errors.New("this must be more than 0")
	}
	return nil
}
