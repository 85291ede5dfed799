package state

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
)

// Store is a component's small key-value store. It is rewritten whole by each
// Set: it is meant for some hundred keys.
type Store struct {
	mu     sync.Mutex
	file   *slots // nil: nothing outlives the process
	loaded bool
	values map[string][]byte
}

func newStore(fs world.FS, path string) *Store { return &Store{file: newSlots(fs, path)} }

// Volatile is a store that the process takes with it: for tests and dry runs.
func Volatile() *Store { return &Store{loaded: true, values: map[string][]byte{}} }

var _ component.State = (*Store)(nil)

// load reads the store once. A damaged one is empty.
func (s *Store) load() {
	if s.loaded {
		return
	}
	s.loaded, s.values = true, map[string][]byte{}
	if raw, err := s.file.load(); err == nil && raw != nil {
		_ = json.Unmarshal(raw, &s.values) // checked by its checksum already
	}
}

// Get is the value of key.
func (s *Store) Get(key string) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.load()
	v, ok := s.values[key]
	return v, ok
}

// Keys are all keys, sorted.
func (s *Store) Keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.load()
	return slices.Sorted(maps.Keys(s.values))
}

// Set stores value under key; it lasts when Set returns.
func (s *Store) Set(key string, value []byte) error {
	return s.change(func(m map[string][]byte) { m[key] = slices.Clone(value) })
}

// Delete removes key.
func (s *Store) Delete(key string) error {
	return s.change(func(m map[string][]byte) { delete(m, key) })
}

func (s *Store) change(f func(map[string][]byte)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.load()
	next := maps.Clone(s.values)
	f(next)
	if s.file != nil {
		raw, err := json.Marshal(next)
		if err != nil {
			return fmt.Errorf("storing component state: %w", err)
		}
		if err := s.file.save(raw); err != nil {
			return err
		}
	}
	s.values = next
	return nil
}
