package window

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
)

// dedupeConfig is transform "dedupe".
type dedupeConfig struct {
	key     component.Template
	spelled string // the key as it is written
	window  time.Duration
	maxKeys int
}

// Stage is component.StageTransform's.
func (c *dedupeConfig) Stage(host *component.Host) (component.Stage, error) {
	d := &dedupe{dedupeConfig: c, now: host.Now, state: host.State, log: host.Log, seen: newTable[digest, sight]()}
	d.load()
	return d, nil
}

// digest is of a key, and of how keys are made.
type digest [16]byte

// dedupe drops events whose key was seen a short while ago. What it stores of
// that is of events that are settled: what a crash brings again has not been seen, as far as
// the next process knows, so nothing is dropped that was not delivered.
type dedupe struct {
	*dedupeConfig
	now    func() time.Time
	state  component.State
	log    *slog.Logger
	seen   *table[digest, sight] // in the order of time
	buffer []byte

	asked   bool // for a call of Wake
	trouble trouble
}

// sight is when a key was seen first. open is set until its event is settled.
type sight struct {
	at   time.Time
	open *event.Share
}

// saveInterval is between two saves, at the least.
const saveInterval = 10 * time.Second

// Process lets the first event of a key through.
func (d *dedupe) Process(e *event.Event, out component.Emitter) (err error) {
	if e.Stream().Replayed { // it went through here before
		out.Emit(e)
		return nil
	}
	d.buffer = append(append(d.buffer[:0], d.spelled...), 0)
	if d.buffer, err = d.key.AppendText(d.buffer, e); err != nil {
		return err
	}
	sum := sha256.Sum256(d.buffer)
	key := digest(sum[:])
	now := d.now()
	d.forget(now)
	if s := d.seen.entries[key]; s != nil {
		out.Drop("duplicate")
		return nil
	}
	if d.seen.len() >= d.maxKeys {
		d.seen.remove(d.seen.oldest())
	}
	share := e.Share()
	d.seen.add(key).value = sight{now, &share}
	out.Emit(e)
	d.askToSave(now, out)
	return nil
}

func (d *dedupe) askToSave(now time.Time, out component.Emitter) {
	if !d.asked {
		d.asked = true
		out.WakeAt(now.Add(saveInterval))
	}
}

// forget removes what is older than the window. A clock that was put back must
// not make it longer.
func (d *dedupe) forget(now time.Time) {
	for s := d.seen.oldest(); s != nil; s = d.seen.oldest() {
		if age := now.Sub(s.value.at); age >= 0 && age < d.window {
			return
		}
		d.seen.remove(s)
	}
}

// Wake saves, and asks for another save while there is something that could
// not be stored yet.
func (d *dedupe) Wake(now time.Time, out component.Emitter) (next time.Time) {
	d.asked = false
	d.forget(now)
	if !d.save() {
		d.askToSave(now, out)
	}
	return time.Time{}
}

// Flush saves.
func (d *dedupe) Flush(component.Emitter) { d.save() }

// stateKey is the one under which all is stored, 24 bytes each: digest, and
// milliseconds since 1970, big endian.
const stateKey = "seen"

const sightSize = len(digest{}) + 8

// save stores what is seen and settled, and says whether this is all.
func (d *dedupe) save() (all bool) {
	all = true
	value := make([]byte, 0, d.seen.len()*sightSize)
	for s := range d.seen.all() {
		if s.value.open != nil && !s.value.open.Settled() {
			all = false
			continue
		}
		s.value.open = nil
		value = append(value, s.key[:]...)
		value = binary.BigEndian.AppendUint64(value, uint64(s.value.at.UnixMilli()))
	}
	err := d.state.Set(stateKey, value)
	d.trouble.tell(d.log, err, "what was seen can't be stored, and is tried again: after a restart duplicates go through", "what was seen is stored again")
	return all && err == nil
}

// load takes over what was stored.
func (d *dedupe) load() {
	value, _ := d.state.Get(stateKey)
	if len(value)%sightSize != 0 {
		d.log.Warn("what was stored of seen events is damaged: duplicates of them go through", "bytes", len(value))
		return
	}
	now := d.now()
	for ; len(value) > 0; value = value[sightSize:] {
		key := digest(value[:len(digest{})])
		at := time.UnixMilli(int64(binary.BigEndian.Uint64(value[len(digest{}):sightSize])))
		if age := now.Sub(at); age >= 0 && age < d.window && d.seen.entries[key] == nil && d.seen.len() < d.maxKeys {
			d.seen.add(key).value.at = at
		}
	}
}

// spelling is how a template is written.
func spelling(t component.Template) string {
	if s, ok := t.(fmt.Stringer); ok {
		return s.String()
	}
	return ""
}
