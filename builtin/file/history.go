package file

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/wazuh-etl/etl/runtime/component"
)

// historyKey is where the component's state has the history.
const historyKey = "generations"

// headWindow is how much of a file's beginning tells it from others.
const headWindow = 4096

// historyLength is how many records of files that are gone are kept: who has a position in
// an older one gets everything that is left.
const historyLength = 100

// history is which generations there were at a path without a calendar, oldest
// first. Names of rotated files say little: some rotations shift numbers, some count on, some
// use suffixes that nobody can foretell. So each file beside the path is written down when it is seen first, before
// anything of it is read: what is not in the history was written since, and what is in it is
// found again by inode and beginning, whatever it is called now.
type history struct {
	state component.State // nil: nothing is stored
	list  []record        // without a state
	log   *slog.Logger    // nil: nobody is told

	twins map[[2]string]bool // which files were told to hold the same
}

// registering guards the history in the state of a component: a detached sink has a source of
// its own, with the same state, and so has the one that a reload makes.
var registering sync.Mutex

// unsaved are the lists that could not be stored, which is tried again with the next look. All who have the state
// go on from the same one: a file that each of them wrote down for itself would have a name from each. Guarded by registering.
var unsaved = map[component.State][]record{}

// record is a generation.
type record struct {
	ID      int64  `json:"id"`             // any, but its own
	Name    string `json:"name,omitempty"` // empty until the first line is complete
	Device  uint64 `json:"dev"`
	Inode   uint64 `json:"ino"`
	Head    string `json:"head,omitempty"` // hash of the first Length bytes
	Length  int    `json:"length,omitempty"`
	Left    bool   `json:"left,omitempty"`    // its very file holds something else now
	Least   int64  `json:"least,omitempty"`   // a current file that is shorter is another one
	Foreign bool   `json:"foreign,omitempty"` // no generation of the path
	Emptied int64  `json:"emptied,omitempty"` // when the empty file was changed last, in nanoseconds
}

func hashOf(head []byte) string {
	sum := sha256.Sum256(head)
	return hex.EncodeToString(sum[:12])
}

// is says whether m has the inode that the record's file had.
func (r *record) is(m *member) bool { return r.Device == m.device && r.Inode == m.inode }

// begins says whether a file that begins with head may be the record's.
func (r *record) begins(head []byte) bool {
	return r.Length <= 0 || len(head) >= r.Length && hashOf(head[:r.Length]) == r.Head
}

// grow takes notice of more of the file's beginning.
func (r *record) grow(head []byte) bool {
	if len(head) <= r.Length {
		return false
	}
	r.Head, r.Length = hashOf(head), len(head)
	return true
}

// touch takes notice of when the file was changed last, as long as nothing is in it. again says that it was changed
// since it was seen empty before, and is empty again.
func (r *record) touch(m *member) (again bool) {
	now := int64(0)
	if len(m.head) == 0 {
		now = m.modified.UnixNano()
	}
	if r.Emptied == now {
		return false
	}
	again = r.Emptied != 0 && now != 0
	r.Emptied = now
	return again
}

// load is the list. The caller has registering.
func (h *history) load() (list []record) {
	if h.state == nil {
		return slices.Clone(h.list)
	}
	if list, ok := unsaved[h.state]; ok {
		return slices.Clone(list)
	}
	value, ok := h.state.Get(historyKey)
	if !ok || json.Unmarshal(value, &list) != nil {
		return nil
	}
	return list
}

// save stores the list. Where the disk does not let it, it is remembered until it does: what
// this costs is that a process that dies meanwhile reads files again. The caller has registering.
func (h *history) save(list []record) {
	if h.state == nil {
		h.list = list
		return
	}
	value, err := json.Marshal(list)
	if err == nil && h.state.Set(historyKey, value) == nil {
		delete(unsaved, h.state)
		return
	}
	unsaved[h.state] = list
}

// tellTwins says of each pair of files once that the second is not read. The caller has registering.
func (h *history) tellTwins(list [][2]string) {
	for _, pair := range list {
		if h.log == nil || h.twins[pair] {
			continue
		}
		if h.twins == nil {
			h.twins = map[[2]string]bool{}
		}
		h.twins[pair] = true
		h.log.Warn("two files begin alike and are as long: the second is taken for a copy of the first, and is not read", "file", pair[0], "copy", pair[1])
	}
}

// flush tries again what could not be stored.
func (h *history) flush() {
	registering.Lock()
	defer registering.Unlock()
	if list, ok := unsaved[h.state]; ok {
		h.save(list)
	}
}

// known is the list before a look at the files; see register.
func (h *history) known() []record {
	if h == nil {
		return nil
	}
	registering.Lock()
	defer registering.Unlock()
	return h.load()
}

// name gives the record id the name that it has, or that it gets by print, for a file that begins with head.
func (h *history) name(id int64, print string, head []byte) string {
	registering.Lock()
	defer registering.Unlock()
	list := h.load()
	i := indexOf(list, id)
	if i < 0 {
		return freeName(list, print)
	}
	if list[i].Name == "" {
		list[i].Name = freeName(list, print)
		list[i].grow(head)
		h.save(list)
	}
	return list[i].Name
}

// named is the record of the generation called name; 0 if there is none.
func (h *history) named(name string) int64 {
	registering.Lock()
	defer registering.Unlock()
	for _, r := range h.load() {
		if r.Name == name {
			return r.ID
		}
	}
	return 0
}

// foreign is the record of m's inode, if it is that of no generation; 0: the history does not say so.
func (h *history) foreign(m *member) (id int64) {
	registering.Lock()
	defer registering.Unlock()
	for _, r := range h.load() {
		switch {
		case !r.is(m):
		case !r.Foreign:
			return 0
		default:
			id = r.ID
		}
	}
	return id
}

// places are where the generations are in the list, by the ids of their records.
func (h *history) places() map[int64]int {
	registering.Lock()
	defer registering.Unlock()
	places := map[int64]int{}
	for i, r := range h.load() {
		if !r.Foreign {
			places[r.ID] = i
		}
	}
	return places
}

// leave writes down that the file at the path, which had the record id up to offset, is another one now. What
// it was may still be there as a copy.
func (h *history) leave(id, offset int64) {
	registering.Lock()
	defer registering.Unlock()
	list := h.load()
	if i := indexOf(list, id); i >= 0 {
		list[i].Left, list[i].Least = true, offset
		h.save(list)
	}
}

// grown writes down how a file begins that is longer now than when it was seen first.
func (h *history) grown(id int64, head []byte) {
	registering.Lock()
	defer registering.Unlock()
	list := h.load()
	if i := indexOf(list, id); i >= 0 && list[i].begins(head) && list[i].grow(head) {
		h.save(list)
	}
}

// newRecord is one of m.
func newRecord(list []record, m *member) record {
	r := record{ID: 1 + rand.Int64N(1<<52), Device: m.device, Inode: m.inode}
	r.grow(m.head)
	r.touch(m)
	if m.complete {
		r.Name = freeName(list, m.print)
	}
	return r
}

// freeName is the name of a generation with this fingerprint that no other has.
func freeName(list []record, print string) string {
	next := -1
	for _, r := range list {
		if r.Name != "" && printOf(r.Name) == print {
			next = max(next, countOf(r.Name))
		}
	}
	if next < 0 {
		return print
	}
	return print + "~" + strconv.Itoa(next+1)
}

// countOf is the N of a name.
func countOf(name string) int {
	_, count, _ := strings.Cut(name, "~")
	n, _ := strconv.Atoi(count)
	return n
}

func indexOf(list []record, id int64) int {
	return slices.IndexFunc(list, func(r record) bool { return r.ID == id })
}
