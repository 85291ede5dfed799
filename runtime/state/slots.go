package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/wazuh-etl/etl/runtime/failpoint"
	"github.com/wazuh-etl/etl/runtime/world"
)

// slots is a small value stored crash-safely: two files that are written in
// turn, each with a sequence number and a checksum, and synced before the next
// may be touched. At least one of them is always whole; the newer one counts.
//
// The file: "etl1", sequence number (8 bytes, big endian), length (4 bytes),
// CRC-32C of number, length and data (4 bytes), data, and room for it to grow: on a full disk
// a value can still be stored. Number 0 is a file that was made for its room, and holds no value.
type slots struct {
	fs    world.FS
	path  string
	seq   uint64
	files [2]slot
	// found is the content of the newer file as it was loaded, and is not yet known to last: who wrote
	// it may have been killed before it was synced, or its sync has failed. Nil once it is.
	found []byte
}

// slot is one of the files.
type slot struct {
	name string
	size int64 // as far as it is known
	made bool  // its directory entry is known to last
	bad  bool  // a sync has failed, of the file or of its entry: it is not written again
}

// The points at which a process may be killed.
var (
	beforeWrite  = failpoint.New("state.write")
	beforeSync   = failpoint.New("state.sync")
	beforeEntry  = failpoint.New("state.directory")
	behindSync   = failpoint.New("state.synced")
	beforeSettle = failpoint.New("state.settle")
	beforeRoom   = failpoint.New("state.room")
	beforeRemove = failpoint.New("state.abandon")
)

const header = 4 + 8 + 4 + 4

var (
	magic      = []byte("etl1")
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

func newSlots(fs world.FS, path string) *slots {
	return &slots{fs: fs, path: path, files: [2]slot{{name: path + ".a"}, {name: path + ".b"}}}
}

// errDamaged says that files are there but none is whole.
var errDamaged = errors.New("damaged")

// load reads the newer whole file. It returns nil where there is none yet, and
// errDamaged if what is there can't be used. It changes nothing.
func (s *slots) load() ([]byte, error) {
	var best []byte
	found, damaged := false, false
	for i := range s.files {
		f := &s.files[i]
		raw, err := s.fs.ReadFile(f.name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", f.name, err)
		}
		f.size = int64(len(raw))
		seq, data, ok := unpack(raw)
		if !ok {
			damaged = true
			continue
		}
		if seq > 0 && (!found || seq > s.seq) {
			best, s.seq, found = data, seq, true
			s.found = raw
		}
	}
	if !found && damaged {
		return nil, errDamaged
	}
	return best, nil
}

// settle makes the value that was loaded last: only then may the other file be
// written. It is written again before it is synced, since a sync that has failed for the process before
// would succeed now without anything being on disk.
func (s *slots) settle() error {
	if s.found == nil {
		return nil
	}
	beforeSettle.Pass()
	if err := s.write(&s.files[s.seq%2], s.found); err != nil {
		return err
	}
	s.found = nil
	return nil
}

// reserve makes the files that are not there yet, so that what is stored later needs no
// more room on the disk, if it is no larger.
func (s *slots) reserve() error {
	for i := range s.files {
		f := &s.files[i]
		if _, err := s.fs.Stat(f.name); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		beforeRoom.Pass()
		if err := s.write(f, pack(0, nil)); err != nil {
			return err
		}
	}
	return nil
}

func pack(seq uint64, data []byte) []byte {
	raw := make([]byte, header, header+len(data))
	copy(raw, magic)
	binary.BigEndian.PutUint64(raw[4:], seq)
	binary.BigEndian.PutUint32(raw[12:], uint32(len(data)))
	binary.BigEndian.PutUint32(raw[16:], crc(raw[4:16], data))
	return append(raw, data...)
}

func unpack(raw []byte) (seq uint64, data []byte, ok bool) {
	if len(raw) < header || !bytes.HasPrefix(raw, magic) {
		return 0, nil, false
	}
	data = raw[header:]
	n := binary.BigEndian.Uint32(raw[12:])
	if int64(n) > int64(len(data)) {
		return 0, nil, false
	}
	data = data[:n]
	if crc(raw[4:16], data) != binary.BigEndian.Uint32(raw[16:]) {
		return 0, nil, false
	}
	return binary.BigEndian.Uint64(raw[4:]), data, true
}

func crc(parts ...[]byte) (sum uint32) {
	for _, p := range parts {
		sum = crc32.Update(sum, castagnoli, p)
	}
	return sum
}

// save makes data the value; it lasts when save returns.
func (s *slots) save(data []byte) error {
	err := s.settle()
	if err == nil {
		err = s.write(&s.files[(s.seq+1)%2], pack(s.seq+1, data))
	}
	if err != nil {
		return fmt.Errorf("storing %s: %w", filepath.Base(s.path), err)
	}
	s.seq++
	behindSync.Pass()
	return nil
}

// write replaces the file's content in place: a whole other slot stands beside
// it, but for a loaded value, which is replaced by itself. What a longer value leaves behind its end is
// ignored by the length.
func (s *slots) write(f *slot, raw []byte) error {
	if f.bad {
		beforeRemove.Pass()
		if err := s.fs.Remove(f.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		*f = slot{name: f.name}
	}
	file, err := s.open(f)
	if err != nil {
		return err
	}
	if int64(len(raw)) > f.size {
		raw = slices.Concat(raw, make([]byte, roomFor(len(raw))-len(raw)))
	}
	if err = beforeWrite.Fail(); err == nil {
		_, err = file.Write(raw)
	}
	if err != nil {
		file.Close()
		return err
	}
	f.size = max(f.size, int64(len(raw)))
	if err = beforeSync.Fail(); err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		f.bad = true
		return err
	}
	if f.made {
		return nil
	}
	if err = beforeEntry.Fail(); err == nil {
		err = s.fs.SyncDir(filepath.Dir(s.path))
	}
	f.made, f.bad = err == nil, err != nil
	return err
}

// open opens the file for writing. One that is gone is made anew, and so is the directory:
// who removes the state of a running process takes nothing but what was before.
func (s *slots) open(f *slot) (world.File, error) {
	file, err := s.fs.OpenFile(f.name, os.O_WRONLY, 0o640)
	if !errors.Is(err, fs.ErrNotExist) {
		return file, err
	}
	*f = slot{name: f.name}
	if err := world.MakeDirs(s.fs, filepath.Dir(f.name), 0o750); err != nil {
		return nil, err
	}
	return s.fs.OpenFile(f.name, os.O_WRONLY|os.O_CREATE, 0o640)
}

// roomFor is how large a file is made for n bytes.
func roomFor(n int) int {
	const block = 4 << 10
	return (2*n + block - 1) / block * block
}
