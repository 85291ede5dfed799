package agents

import (
	"encoding/json"
	"slices"
	"time"
)

// mostFlaps is how many comings and goings of one agent are remembered.
const mostFlaps = 100

// observed is one read of the fleet.
type observed struct {
	readings []reading
	found    []difference
	details  map[int64]details // of the agents that are new or have changed
	replaced bool              // what is read is another file than before
}

// author makes events of differences.
type author struct {
	origin string // the source's address: part of each event_id
	node   string // manager_node
	window time.Duration
	first  bool // nothing was known before: what is there is no change
}

// changes are the differences as a record for the ledger: the new state, and
// the events, of which a restart of the manager comes first.
func (w *author) changes(l *ledger, found []difference, known map[int64]details, now time.Time) (*record, error) {
	r := &record{Read: true}
	last := l.restart
	if n, at := resets(found); n > 0 && !last.is(at) {
		last = restart{At: at, ID: nameEvent("manager", at, typeManagerRestart, w.origin, w.node, at)}
		r.Restart = &last
		raw, err := render(restartEvent{common: w.common(last.ID, typeManagerRestart, now), RestartedAt: *second(at), Agents: n})
		if err != nil {
			return nil, err
		}
		r.Events = append(r.Events, kept{Event: raw})
	}
	census := takeCensus(l.agents)
	for _, d := range found {
		before, after := d.before, w.after(d, known)
		census.change(before, after)
		if after == nil {
			r.Gone = append(r.Gone, before.ID)
		} else {
			r.Agents = append(r.Agents, after)
		}
		if w.first {
			continue
		}
		past := l.past[d.id()]
		if d.back() {
			past++
			r.past(d.id(), past)
		}
		raw, err := w.change(past, before, after, last, census.fleet(), now)
		if err != nil {
			return nil, err
		}
		r.Events = append(r.Events, kept{Event: raw})
	}
	return r, nil
}

// resets counts the agents that a start of the manager has reset, and says when.
func resets(found []difference) (n int, at int64) {
	for _, d := range found {
		if d.before != nil && d.after != nil && d.after.Code == resetByManager && d.after.Status == disconnected {
			n++
			at = max(at, d.after.Disconnected)
		}
	}
	return n, at
}

// is says whether something the manager did at a time belongs to the restart.
func (r restart) is(at int64) bool { return r.ID != "" && at >= r.At-1 && at <= r.At+1 }

// after is the agent that d leads to; nil if it is gone.
func (w *author) after(d difference, known map[int64]details) *agent {
	if d.after == nil {
		return nil
	}
	a := &agent{reading: *d.after}
	if d.before != nil {
		a.details, a.Flaps = d.before.details, d.before.Flaps
	}
	if details, ok := known[a.ID]; ok {
		a.details = details
	}
	return a
}

// change is the event of one difference, and notes a coming or going in after.
func (w *author) change(past int, before, after *agent, last restart, fleet *fleetMember, now time.Time) (json.RawMessage, error) {
	what := kind(before, after)
	e := agentEvent{Fleet: fleet}
	switch {
	case after == nil:
		e.about(before)
		e.Previous, e.Current = before.Status, unknown
	default:
		e.about(after)
		e.Current = after.Status
		if before != nil {
			e.Previous = before.Status
		}
	}
	e.common = w.common(eventID(w.origin+"\x00"+w.node, what, before, after, past), what, now)
	if byRestart(before, after, last) {
		e.ManagerRestart = &last.ID
	} else if what == typeConnected || what == typeDisconnected {
		after.Flaps = append(slices.Clone(after.Flaps), now.Unix())
	}
	if after != nil {
		after.Flaps = recent(after.Flaps, now.Add(-w.window).Unix())
		e.Flaps = len(after.Flaps)
	}
	return render(e)
}

// byRestart says whether a change comes of the manager's restart: the agent was
// reset by it, or comes back from that.
func byRestart(before, after *agent, last restart) bool {
	for _, a := range []*agent{before, after} {
		if a != nil && a.Code == resetByManager && last.is(a.Disconnected) {
			return before != nil && after != nil
		}
	}
	return false
}

// recent are the times from since on, the last ones if they are many.
func recent(times []int64, since int64) []int64 {
	i, _ := slices.BinarySearch(times, since)
	return times[max(i, len(times)-mostFlaps):]
}

func (w *author) common(id string, what eventType, now time.Time) common {
	return common{SchemaVersion: schemaVersion, EventID: id, EventType: what, Timestamp: stamp(now), ManagerNode: w.node}
}

// picture is the event of one agent in a snapshot.
func (w *author) picture(a *agent, part snapshotMember, now time.Time) (json.RawMessage, error) {
	e := agentEvent{Previous: a.Status, Current: a.Status, Snapshot: &part}
	e.about(a)
	e.Flaps = len(recent(a.Flaps, now.Add(-w.window).Unix()))
	e.common = w.common(nameEvent(e.AgentID, now.Unix(), typeSnapshot, part.ID, a.ID), typeSnapshot, now)
	return render(e)
}

// beat is a heartbeat.
func (w *author) beat(number int64, generation string, health managerHealth, s summary, now time.Time) (json.RawMessage, error) {
	id := nameEvent("manager", now.Unix(), typeHeartbeat, w.origin, w.node, generation, number)
	return render(heartbeatEvent{common: w.common(id, typeHeartbeat, now), Manager: health, Summary: s})
}
