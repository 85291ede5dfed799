package agents

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
)

// ledgerName is the ledger's file in the state directory.
const ledgerName = "agents.ledger"

// reserve is how many numbers are reserved at a time, long before they are
// needed: so a last record that gets lost takes no number with it that was used.
const reserve = 1 << 16

// slack is how much may be appended to a ledger before it is written anew, if
// that is four times what it would hold then.
const slack = 1 << 20

// ledger is what the source must not forget: see the package comment. It is a
// file of records that is appended to, and written anew now and then. The file: magic,
// then for each record its length (4 bytes, little endian), the CRC-32C of its JSON (the same), the JSON.
type ledger struct {
	files world.FS
	name  string // "" while nothing outlives the process
	file  world.File
	size  int64       // of the file
	base  int64       // of what it began with, which was all there was
	stale bool        // the file can't be appended to: it is written anew
	used  atomic.Bool // it is written to, or was

	generation string
	reserved   int64   // numbers before it may be used
	fleet              // as it was last read
	restart    restart // the manager's last one

	mu      sync.Mutex // for what Forget touches, and who reads beside the source
	next    int64      // number of the next event
	done    int64      // events before it are with all sinks
	backlog []kept     // events that may be given again, by their numbers
}

// fleet is all agents in the order of ids. Nil as long as it was never read.
type fleet struct {
	agents []*agent
	read   bool
	past   map[int64]int // how many agents of an id are gone, and how often the manager went back with the one that there is
}

// kept is an event in the ledger.
type kept struct {
	Number int64           `json:"n"`
	Event  json.RawMessage `json:"event"`
}

// restart is one of the manager.
type restart struct {
	At int64  `json:"at"` // seconds since 1970
	ID string `json:"id"` // of its event
}

// begin makes the ledger of dir ready to be written.
func (l *ledger) begin(dir string) error {
	l.used.Store(true)
	if l.name == "" {
		return nil
	}
	if err := world.MakeDirs(l.files, dir, 0o700); err != nil {
		return fmt.Errorf("making the state directory: %w", err)
	}
	l.stale = true // what a kill has left behind the last record is not built upon
	return nil
}

// readLedger is the ledger as it is in dir, "" for one that nothing outlives. It
// changes nothing. Damage is said, and costs what it hit.
func readLedger(files world.FS, dir string, log *slog.Logger) (*ledger, error) {
	l := &ledger{files: files, generation: newGeneration(), fleet: fleet{past: map[int64]int{}}}
	if dir == "" {
		return l, nil
	}
	l.name = filepath.Join(dir, ledgerName)
	file, err := files.Open(l.name)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading the ledger: %w", err)
	}
	bad, err := readRecords(file, info.Size(), func(r *record) { l.apply(r, 0) })
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the ledger: %w", err)
	case bad.bytes == 0 && info.Size() > 0:
	case bad.torn:
		log.Info("the last record of the ledger of agents was never written whole: what it was about is read again", "file", l.name, "bytes", bad.bytes)
	default:
		// What is missing may have used numbers: they count for another generation from here on.
		l.generation = newGeneration()
		log.Warn("the ledger of agents is damaged: what it held behind the damage is read from the manager again",
			"file", l.name, "bytes", bad.bytes, "agents", len(l.agents))
	}
	l.next = l.reserved
	return l, nil
}

func newGeneration() string {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails: it would end the program
	return "agents-" + hex.EncodeToString(id[:])
}

// knows says whether p is a number of this ledger. One that is beyond all it
// has reserved was given by what got lost: numbers begin anew then.
func (l *ledger) knows(p component.Position) bool {
	if p.Generation == l.generation && p.Offset > l.reserved {
		l.generation = newGeneration()
	}
	return p.Generation == l.generation
}

// has says which of from are numbers of this ledger.
func (l *ledger) has(from []component.Position) []bool {
	known := make([]bool, len(from))
	for i, p := range from {
		known[i] = p.Generation == l.generation
	}
	return known
}

// apply makes the ledger what it is behind r, and next what comes behind its events.
func (l *ledger) apply(r *record, next int64) {
	if r.Generation != "" {
		l.generation = r.Generation
	}
	l.reserved = max(l.reserved, r.Reserved)
	l.read = l.read || r.Read
	for id, n := range r.Past {
		l.past[id] = n
	}
	l.remove(r.Gone)
	for _, a := range r.Agents {
		l.put(a)
	}
	if r.Restart != nil {
		l.restart = *r.Restart
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.backlog, l.next = append(l.backlog, r.Events...), next
	l.done = max(l.done, r.Done)
	l.trim()
}

// remove takes agents out.
func (f *fleet) remove(ids []int64) {
	if len(ids) == 0 {
		return
	}
	gone := make(map[int64]bool, len(ids))
	for _, id := range ids {
		gone[id] = true
		f.past[id]++
	}
	f.agents = slices.DeleteFunc(f.agents, func(a *agent) bool { return gone[a.ID] })
}

// put puts an agent in, in place of the one with its id.
func (f *fleet) put(a *agent) {
	i, found := f.find(a.ID)
	if found {
		f.agents[i] = a
		return
	}
	f.agents = slices.Insert(f.agents, i, a)
}

func (f *fleet) find(id int64) (int, bool) {
	if n := len(f.agents); n > 0 && f.agents[n-1].ID < id {
		return n, false
	}
	return slices.BinarySearchFunc(f.agents, id, func(a *agent, id int64) int { return cmp.Compare(a.ID, id) })
}

// trim forgets the events before done. The caller has l.mu.
func (l *ledger) trim() {
	n := 0
	for n < len(l.backlog) && l.backlog[n].Number < l.done {
		n++
	}
	l.backlog = slices.Delete(l.backlog, 0, n)
}

// forget says that all sinks have everything before number. It lasts with the next record.
func (l *ledger) forget(number int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done = max(l.done, number)
	l.trim()
}

// since are the kept events from number on, and the number behind all events.
func (l *ledger) since(number int64) ([]kept, int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i, _ := slices.BinarySearchFunc(l.backlog, number, func(k kept, n int64) int { return cmp.Compare(k.Number, n) })
	return slices.Clone(l.backlog[i:]), l.next
}

// commit gives the record's events their numbers and makes it last. On an error
// nothing has changed, and it may be called again with the same record.
func (l *ledger) commit(r *record) error {
	number := l.next
	for i := range r.Events {
		r.Events[i].Number = number
		number++
	}
	if l.name == "" { // nobody will ask for the events again
		keep := r.Events
		r.Events = nil
		l.apply(r, number)
		r.Events = keep
		return nil
	}
	if number > l.reserved-reserve/2 {
		r.Reserved = number + reserve
	}
	l.mu.Lock()
	r.Done = l.done
	l.mu.Unlock()
	if err := l.store(r); err != nil {
		l.stale = true
		return fmt.Errorf("writing the ledger: %w", err)
	}
	l.apply(r, number)
	return nil
}

// take is the first of n numbers for events that are not kept.
func (l *ledger) take(n int) (int64, error) {
	first := l.next
	if l.name != "" && first+int64(n) > l.reserved-reserve/2 {
		if err := l.commit(&record{Reserved: first + int64(n) + reserve}); err != nil {
			return 0, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next = first + int64(n)
	return first, nil
}

// store writes r behind the file, or a new file with it.
func (l *ledger) store(r *record) error {
	if l.stale || l.size > slack && l.size > 4*l.base {
		return l.rewrite(r)
	}
	raw, err := appendRecord(nil, r)
	if err != nil {
		return err
	}
	if _, err := l.file.Write(raw); err != nil {
		return err
	}
	if err := l.file.Sync(); err != nil {
		return err
	}
	l.size += int64(len(raw))
	return nil
}

// rewrite makes a new file of all there is and r. It becomes the ledger as a whole.
func (l *ledger) rewrite(r *record) error {
	l.mu.Lock()
	all := record{
		Generation: l.generation, Reserved: l.reserved, Done: l.done, Read: l.read,
		Agents: l.agents, Past: l.past, Restart: &l.restart, Events: slices.Clone(l.backlog),
	}
	l.mu.Unlock()
	l.close()
	file, err := l.files.OpenFile(l.name+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	var base, size int64
	raw := slices.Clone(magic)
	for _, whole := range []*record{&all, r} {
		base = size
		for part := range whole.parts() {
			if raw, err = appendRecord(raw, part); err == nil {
				_, err = file.Write(raw)
			}
			if err != nil {
				return errors.Join(err, file.Close())
			}
			size += int64(len(raw))
			raw = raw[:0]
		}
	}
	if err = file.Sync(); err == nil {
		err = l.files.Rename(l.name+".new", l.name)
	}
	if err == nil {
		err = l.files.SyncDir(filepath.Dir(l.name))
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	l.file, l.size, l.base, l.stale = file, size, base, false
	return nil
}

// close lets go of the file.
func (l *ledger) close() {
	if l.file != nil {
		_ = l.file.Close() // everything in it is synced
		l.file = nil
	}
}
