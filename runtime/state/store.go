package state

import (
	"encoding/json"
	"errors"
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
	mu      sync.Mutex
	file    *slots // nil: nothing outlives the process
	loaded  bool
	damaged error // what was stored could not be used
	values  map[string][]byte
}

func newStore(fs world.FS, path string) *Store { return &Store{file: newSlots(fs, path)} }

// Volatile is a store that the process takes with it: for tests and dry runs.
func Volatile() *Store { return &Store{loaded: true, values: map[string][]byte{}} }

var _ component.State = (*Store)(nil)

// load reads the store once. A damaged one is empty; the error is one of
// reading, which is tried again.
func (s *Store) load() error {
	if s.loaded {
		return nil
	}
	s.values = map[string][]byte{}
	raw, err := s.file.load()
	if err != nil && !errors.Is(err, errDamaged) {
		return err
	}
	s.loaded = true
	if raw != nil && err == nil {
		if err = json.Unmarshal(raw, &s.values); err != nil {
			s.values = map[string][]byte{}
		}
	}
	s.damaged = err
	return nil
}

// check says what is wrong with what was stored.
func (s *Store) check() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(); err != nil {
		return err
	}
	return s.damaged
}

// Get is the value of key.
func (s *Store) Get(key string) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.load() // Set says it
	v, ok := s.values[key]
	return v, ok
}

// Keys are all keys, sorted.
func (s *Store) Keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.load() // Set says it
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
	if err := s.load(); err != nil {
		return fmt.Errorf("storing component state: %w", err)
	}
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
