package deadletter

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/linefile"
	"github.com/wazuh-etl/etl/runtime/world"
)

// DefaultMaxBytes bounds a store that was not given another limit.
const DefaultMaxBytes = 1 << 30

// Store is a bounded file of records. Of two halves, PATH and PATH.1, the older
// is removed when the limit is reached, with its number of records logged. It
// is safe for concurrent use.
type Store struct {
	file   *linefile.File
	stored atomic.Int64
	mu     sync.Mutex
	buf    []byte
}

// New is the store at an absolute path; it is opened by its first use. It never holds
// more than maxBytes, unless one Append alone is larger than half of it; 0 means DefaultMaxBytes.
func New(files world.FS, path string, maxBytes int64, log *slog.Logger) *Store {
	if maxBytes == 0 {
		maxBytes = DefaultMaxBytes
	}
	return &Store{file: linefile.New(files, path, linefile.Options{MaxBytes: max(1, maxBytes/2), Keep: 1, Log: log})}
}

// Open is New, opened: the error says why nothing could be stored.
func Open(files world.FS, path string, maxBytes int64, log *slog.Logger) (*Store, error) {
	s := New(files, path, maxBytes, log)
	if err := s.file.Open(); err != nil {
		return nil, fmt.Errorf("opening the dead letters: %w", err)
	}
	return s, nil
}

// Append stores events, which have a Failure, with one sync for all of them. When it returns
// nil they are on disk; after an error append them again.
func (s *Store) Append(events ...*event.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buf = s.buf[:0]
	for _, e := range events {
		s.buf = append(AppendRecord(s.buf, e), '\n')
	}
	return s.write(len(events))
}

// AppendRecords is Append for records that were made before.
func (s *Store) AppendRecords(records ...[]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buf = s.buf[:0]
	for _, r := range records {
		s.buf = append(append(s.buf, r...), '\n')
	}
	return s.write(len(records))
}

func (s *Store) write(records int) error {
	err := s.file.Append(s.buf)
	if cap(s.buf) > 4<<20 {
		s.buf = nil
	}
	if err != nil {
		return fmt.Errorf("storing dead letters: %w", err)
	}
	s.stored.Add(int64(records))
	return nil
}

// Path is where the newer half of the records is.
func (s *Store) Path() string { return s.file.Path() }

// Stats is how many records were stored since the store was opened, and how
// many old ones had to go for them.
func (s *Store) Stats() (stored, discarded int64) { return s.stored.Load(), s.file.Discarded() }

// Close closes the file.
func (s *Store) Close() error { return s.file.Close() }
