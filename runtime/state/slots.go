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

	"github.com/wazuh-etl/etl/runtime/world"
)

// slots is a small value stored crash-safely: two files that are written in
// turn, each with a sequence number and a checksum, and synced before the next
// may be touched. At least one of them is always whole; the newer one counts.
//
// The file: "etl1", sequence number (8 bytes, big endian), length (4 bytes),
// CRC-32C of number, length and data (4 bytes), data.
type slots struct {
	fs    world.FS
	path  string
	seq   uint64
	made  [2]bool // whether the file's directory entry is known to last
	files [2]string
	// found says that the value was loaded, and is not yet known to last: who wrote it
	// may have been killed before it was synced.
	found bool
}

const header = 4 + 8 + 4 + 4

var (
	magic      = []byte("etl1")
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

func newSlots(fs world.FS, path string) *slots {
	return &slots{fs: fs, path: path, files: [2]string{path + ".a", path + ".b"}}
}

// errDamaged says that files are there but none is whole.
var errDamaged = errors.New("damaged")

// load reads the newer whole file. It returns nil where there is none yet, and
// errDamaged if what is there can't be used.
func (s *slots) load() ([]byte, error) {
	var best []byte
	found, damaged := false, false
	for _, name := range s.files {
		raw, err := s.fs.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		seq, data, ok := unpack(raw)
		if !ok {
			damaged = true
			continue
		}
		if !found || seq > s.seq {
			best, s.seq, found = data, seq, true
		}
	}
	if !found && damaged {
		return nil, errDamaged
	}
	s.found = found
	_ = s.settle() // where nothing can be stored, what was stored can be read all the same; save tries again
	return best, nil
}

// settle makes the value that was loaded last: only then may the other file be
// written.
func (s *slots) settle() error {
	if !s.found {
		return nil
	}
	f, err := s.fs.Open(s.files[s.seq%2])
	if err != nil {
		return err
	}
	err = f.Sync()
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = s.fs.SyncDir(filepath.Dir(s.path))
	}
	if err == nil {
		s.found = false
		s.made[s.seq%2] = true
	}
	return err
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
	if err := s.settle(); err != nil {
		return fmt.Errorf("storing %s: %w", filepath.Base(s.path), err)
	}
	seq := s.seq + 1
	i := int(seq % 2)
	raw := make([]byte, header, header+len(data))
	copy(raw, magic)
	binary.BigEndian.PutUint64(raw[4:], seq)
	binary.BigEndian.PutUint32(raw[12:], uint32(len(data)))
	binary.BigEndian.PutUint32(raw[16:], crc(raw[4:16], data))
	raw = append(raw, data...)
	if err := s.write(s.files[i], raw); err != nil {
		return fmt.Errorf("storing %s: %w", filepath.Base(s.path), err)
	}
	if !s.made[i] {
		if err := s.fs.SyncDir(filepath.Dir(s.path)); err != nil {
			return fmt.Errorf("storing %s: %w", filepath.Base(s.path), err)
		}
		s.made[i] = true
	}
	s.seq = seq
	return nil
}

// write replaces the file's content in place: a whole other slot stands beside
// it. What a longer value leaves behind its end is ignored by the length.
func (s *slots) write(name string, raw []byte) error {
	f, err := s.fs.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o640)
	if err != nil {
		return err
	}
	if _, err := f.Write(raw); err != nil {
		f.Close()
		return err
	}
	if err := f.Sync(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
