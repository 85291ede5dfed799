// Package filebeat reads the registry in which Filebeat keeps how far it has
// read each file.
package filebeat

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Entry is how far Filebeat has read one file.
type Entry struct {
	Key    string // in the registry
	Path   string
	Offset int64
	Device uint64 // with Inode: 0 where the registry does not say
	Inode  uint64
}

// ErrNone says that a path is no registry.
var ErrNone = errors.New("there is no Filebeat registry")

// Read reads the registry at path: Filebeat's data directory, its registry
// directory, the directory with log.json in it (Filebeat 7 and later), or the
// one file that Filebeat 6 had.
func Read(path string) ([]Entry, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading the Filebeat registry: %w", err)
	}
	if !info.IsDir() {
		return readSingle(path)
	}
	for _, below := range []string{"", "filebeat", "registry/filebeat", "data/registry/filebeat"} {
		dir := filepath.Join(path, below)
		if _, err := os.Stat(filepath.Join(dir, "log.json")); err == nil {
			return readStore(dir)
		}
		if names, _ := filepath.Glob(filepath.Join(dir, "[0-9]*.json")); len(names) > 0 {
			return readStore(dir)
		}
	}
	return nil, fmt.Errorf("%w in %s: one has a log.json", ErrNone, path)
}

// value is what the registry has of a file, in all the forms that Filebeat has used.
type value struct {
	Source string `json:"source"`
	Offset int64  `json:"offset"`
	TTL    *int64 `json:"ttl"`
	OS     struct {
		Inode  uint64 `json:"inode"`
		Device uint64 `json:"device"`
	} `json:"FileStateOS"`
	Cursor *struct {
		Offset int64 `json:"offset"`
	} `json:"cursor"`
	Meta *struct {
		Source string `json:"source"`
	} `json:"meta"`
}

// readSingle reads Filebeat 6's registry, an array.
func readSingle(path string) ([]Entry, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the Filebeat registry: %w", err)
	}
	entries, err := Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return entries, nil
}

// Parse reads the text of Filebeat 6's registry, an array.
func Parse(raw []byte) ([]Entry, error) {
	var all []value
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNone, err)
	}
	var entries []Entry
	for _, v := range all {
		if e, ok := v.entry(""); ok {
			entries = append(entries, e)
		}
	}
	return entries, nil
}

// readStore reads a registry directory: the newest snapshot, and the
// operations in log.json behind it.
func readStore(dir string) ([]Entry, error) {
	all := map[string]json.RawMessage{}
	last, err := readSnapshot(dir, all)
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(filepath.Join(dir, "log.json"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the Filebeat registry: %w", err)
	}
	if err := replay(raw, last, all); err != nil {
		return nil, fmt.Errorf("reading %s: %w", filepath.Join(dir, "log.json"), err)
	}
	var entries []Entry
	for _, key := range slices.Sorted(maps.Keys(all)) {
		var v value
		if json.Unmarshal(all[key], &v) != nil {
			continue // another input's, of another shape
		}
		if e, ok := v.entry(key); ok {
			entries = append(entries, e)
		}
	}
	return entries, nil
}

// readSnapshot reads the newest ID.json, an array; last is its ID.
func readSnapshot(dir string, all map[string]json.RawMessage) (last uint64, err error) {
	names, err := filepath.Glob(filepath.Join(dir, "[0-9]*.json"))
	if err != nil {
		return 0, err
	}
	newest := ""
	for _, name := range names {
		if id, err := strconv.ParseUint(strings.TrimSuffix(filepath.Base(name), ".json"), 10, 64); err == nil && (newest == "" || id > last) {
			last, newest = id, name
		}
	}
	if newest == "" {
		return 0, nil
	}
	raw, err := os.ReadFile(newest)
	if err != nil {
		return 0, fmt.Errorf("reading the Filebeat registry: %w", err)
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return 0, fmt.Errorf("reading %s: %w", newest, err)
	}
	for _, v := range list {
		var k struct {
			Key string `json:"_key"`
		}
		if json.Unmarshal(v, &k) == nil && k.Key != "" {
			all[k.Key] = v
		}
	}
	return last, nil
}

// replay applies the operations with an ID beyond last. Each is two lines:
// {"op":"set","id":7} and {"k":KEY,"v":VALUE}. A last one that was cut is left out, as
// Filebeat does.
func replay(log []byte, last uint64, all map[string]json.RawMessage) error {
	lines := bufio.NewScanner(bytes.NewReader(log))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var op struct {
			Op string `json:"op"`
			ID uint64 `json:"id"`
		}
		if json.Unmarshal(lines.Bytes(), &op) != nil || !lines.Scan() {
			return nil
		}
		var change struct {
			Key   string          `json:"k"`
			Value json.RawMessage `json:"v"`
		}
		if json.Unmarshal(lines.Bytes(), &change) != nil {
			return nil
		}
		switch {
		case op.ID <= last && last > 0:
		case op.Op == "remove":
			delete(all, change.Key)
		case op.Op == "set":
			all[change.Key] = bytes.Clone(change.Value)
		}
	}
	return lines.Err()
}

// entry is the entry that v is; ok is false for what is no file, or was read by
// nobody.
func (v value) entry(key string) (e Entry, ok bool) {
	e = Entry{Key: key, Path: v.Source, Offset: v.Offset, Device: v.OS.Device, Inode: v.OS.Inode}
	if strings.HasPrefix(key, "filestream::") {
		if v.Meta == nil || v.Cursor == nil {
			return e, false
		}
		e.Path, e.Offset = v.Meta.Source, v.Cursor.Offset
		if _, identity, ok := strings.Cut(key, "::native::"); ok {
			e.Inode, e.Device = native(identity)
		}
	}
	removed := v.TTL != nil && *v.TTL == 0
	return e, e.Path != "" && e.Offset >= 0 && !removed
}

// native takes "INODE-DEVICE" apart.
func native(identity string) (inode, device uint64) {
	a, b, _ := strings.Cut(identity, "-")
	inode, err := strconv.ParseUint(a, 10, 64)
	if err != nil {
		return 0, 0
	}
	device, _ = strconv.ParseUint(b, 10, 64)
	return inode, device
}
