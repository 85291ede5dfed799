package window

import (
	"fmt"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// anomalyConfig is transform "anomaly".
type anomalyConfig struct {
	address string
	match   component.Template
	key     component.Template
	window  time.Duration
	maxKeys int
	share   *shareConfig
	history *historyConfig
}

// Stage is component.StageTransform's.
func (c *anomalyConfig) Stage(host *component.Host) (component.Stage, error) {
	a := &anomaly{anomalyConfig: c, now: host.Now, keys: keyed{template: c.key}, store: &store{state: host.State, log: host.Log}}
	known := a.store.load()
	if c.share != nil {
		a.fleet = newFleet(c, known.Fleet)
	}
	if c.history != nil {
		a.past = newPast(c, known)
	}
	return a, nil
}

// anomaly counts events and emits one of its own where there are more of them
// than usual. What it counts goes no further.
type anomaly struct {
	*anomalyConfig
	now   func() time.Time
	keys  keyed
	fleet *fleet
	past  *past
	store *store
}

// Process counts e.
func (a *anomaly) Process(e *event.Event, out component.Emitter) error {
	if e.Stream().Replayed { // it was counted when it came first
		out.Drop("counted before")
		return nil
	}
	key, err := a.keys.of(e)
	if err != nil {
		return err
	}
	matches := true
	if a.match != nil {
		v, err := a.match.Value(e)
		if err != nil {
			return err
		}
		if v.Kind() != document.Bool {
			return event.Failf("match_not_bool", "match gives %.60s, which is neither true nor false", v.String())
		}
		matches = v.IsTrue()
	}
	out.Drop("counted")
	now := a.now()
	if a.fleet != nil {
		if found := a.fleet.count(key, matches, now); found != nil {
			out.Emit(e.Derive(a.address, 0, a.tell("share", found)))
		}
	}
	if a.past != nil && matches {
		if found := a.past.count(key, now); found != nil {
			out.Emit(e.Derive(a.address, 1, a.tell("history", found)))
		}
	}
	if !a.store.asked {
		a.store.asked = true
		out.WakeAt(now.Add(saveInterval))
	}
	return nil
}

// finding is what is unusual, in words and in members.
type finding struct {
	message string
	members []document.Member
}

// tell is the document of an anomaly.
func (a *anomaly) tell(kind string, f *finding) document.Value {
	return document.NewObject(append([]document.Member{
		text("event_type", "anomaly"), text("anomaly", kind), text("message", f.message),
		text("component", a.address), number("window_seconds", int(a.window/time.Second)),
	}, f.members...))
}

func float(name string, value float64) document.Member {
	return document.Member{Name: name, Value: document.NewFloat(value)}
}

func (a *anomaly) save() {
	var known knowledge
	if a.fleet != nil {
		known.Fleet = a.fleet.known()
	}
	if a.past != nil {
		a.past.known(&known)
	}
	a.store.save(known)
}

// Wake stores what is known.
func (a *anomaly) Wake(time.Time, component.Emitter) (next time.Time) {
	a.store.asked = false
	a.save()
	return next
}

// Flush stores what is known; nothing is kept.
func (a *anomaly) Flush(component.Emitter) { a.save() }

// shown is how many keys an anomaly names.
const shown = 100

func percent(share float64) string { return fmt.Sprintf("%.0f %%", share*100) }
