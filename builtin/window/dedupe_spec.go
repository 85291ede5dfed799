package window

import (
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
)

var dedupeSpec = &component.Spec{
	Role:    component.RoleTransform,
	Kind:    "dedupe",
	Summary: "Lets the first event of each key through and drops those that follow within a window",
	Doc: `The window of a key begins with the event that goes through; what is dropped does not make it longer. Time is that of the
clock when the event comes here, not what is written in it. A duplicate is dropped also where the first event
failed behind this transform: that one is in the dead letters then.

What was seen outlives the process. It is stored every 10 s, and at a stop, but only of events that every sink has
taken (or that are stored as failed). So after a crash a duplicate may go through; an event that
was not delivered is never dropped for itself.

| what happens when … | what you see | test |
| --- | --- | --- |
| a key is seen again | the event is counted as dropped, reason ` + "`duplicate`" + ` | TestDedupeIsAsTheModel |
| **stop**, **reload** that changes this block | what was seen is known afterwards, if the key is written as before. Duplicates of events that are on their way at such a reload go through | TestDedupeSurvivesAStop, TestDedupeForgetsWhatAnotherKeyMeant |
| **crash**: the process is killed before the first event of a key was delivered | it is read again, and goes through | TestDedupeLosesNothingWhenKilled |
| **crash**: it is killed less than 10 s after it was delivered | a duplicate may go through once more | TestDedupeLosesNothingWhenKilled |
| more keys than ` + "`max_keys`" + ` | the oldest is forgotten: its duplicates go through | TestDedupeForgetsTheOldestKey |
| the state can't be stored, or is damaged | the log says so; events go on, after a restart duplicates may go through | TestDedupeWithoutState |
| dead letters are replayed | they go through | TestReplayedEventsPass |
| the clock is put back | what was seen "later" is forgotten | TestDedupeClockPutBack |
| the key has nil in it | the event goes to ` + "`.errors`" + `: all of these would be the same | TestDedupeWithoutAKey |`,
	Attrs: []component.Attr{
		{Name: "key", Type: component.TypeTemplate, Required: true, Address: true, Doc: "Events with the same text are duplicates. Only a digest of it is kept."},
		{Name: "window", Type: component.TypeDuration, Default: 10 * time.Minute, Check: positive, Doc: "For how long after the first event others are duplicates."},
		{Name: "max_keys", Type: component.TypeCount, Default: 100_000, Check: atLeastOne, Doc: "How many keys are known at a time. Each costs some 200 bytes of memory, and 32 bytes that are written every 10 s while events come."},
	},
	Example: `transform "dedupe" "once" {
  from   = filter.bans
  key    = "{{ agent.id }}/{{ data.srcip }}"
  window = "1h"
}`,
	NewStage: newDedupe,
}

func newDedupe(c *component.Config) (component.StageTransform, error) {
	d := &dedupeConfig{key: c.Template("key"), window: c.Duration("window"), maxKeys: c.Count("max_keys")}
	if !c.Known("key") {
		return d, nil
	}
	if constant, is := d.key.Constant(); is {
		return nil, c.Error("key", diag.InvalidValue, "every event has the key "+constant+": one goes through, and no other", `write what tells events apart, "{{ rule.id }}"`)
	}
	d.spelled = spelling(d.key)
	return d, nil
}
