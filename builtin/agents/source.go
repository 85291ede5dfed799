package agents

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/wazuh-etl/etl/builtin/tlsconfig"
	"github.com/wazuh-etl/etl/runtime/codec"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// source is source "wazuh_agents".
type source struct {
	address  string
	node     string // manager_node; "": the name of this machine
	poll     time.Duration
	pictures time.Duration // snapshot_interval; 0: only at the start
	beat     time.Duration // 0: none
	flaps    time.Duration
	api      *component.Config // the block; nil: another way
	open     func(host *component.Host) (reader, error)
	once     bool

	mu     sync.Mutex
	ledger *ledger
}

// Files are those that the api block names.
func (s *source) Files() []string { return tlsconfig.Files(s.api) }

// Check looks at the api block's files.
func (s *source) Check(host *component.Host) []error {
	return tlsconfig.Check(s.api, host.FS, host.Now())
}

// Finite makes the source end after one read.
func (s *source) Finite() { s.once = true }

// Resume says which positions are numbers in the ledger.
func (s *source) Resume(host *component.Host, from []component.Position) ([]bool, error) {
	if l := s.current(); l != nil && l.used.Load() { // it runs: the ledger is settled
		return l.has(from), nil
	}
	l, err := readLedger(host.FS, host.StateDir, host.Log)
	if err != nil {
		return nil, err
	}
	for _, p := range from {
		l.knows(p)
	}
	s.keep(l)
	return l.has(from), nil
}

func (s *source) keep(l *ledger) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ledger = l
}

func (s *source) current() *ledger {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ledger
}

// Forget takes out of the ledger what all sinks have.
func (s *source) Forget(p component.Position) {
	if l := s.current(); l != nil && p.Generation == l.generation {
		l.forget(p.Offset)
	}
}

// Run gives what the ledger keeps, then follows the manager.
func (s *source) Run(ctx context.Context, host *component.Host, from []component.Position, out component.Output) error {
	l, err := s.begin(host)
	if err != nil {
		return err
	}
	defer l.close()
	r, err := s.open(host)
	if err != nil {
		return err
	}
	defer r.Close()
	node := s.node
	if node == "" {
		if node, err = os.Hostname(); err != nil {
			return err
		}
	}
	m := &monitor{
		source: s, ledger: l, reader: r,
		lots:   lots{host, out, s.stream(l.generation)},
		author: author{origin: s.address, node: node, window: s.flaps},
	}
	m.rest = 2
	if _, ok := r.(*database); ok {
		m.rest = 4 // while it is read the writer can't commit
	}
	if _, err := m.resume(ctx, l, from); err != nil {
		return nil //nolint:nilerr // ctx has ended
	}
	m.run(ctx)
	return nil
}

// begin is the ledger, ready to be written: the one that Resume has read, if it was asked.
func (s *source) begin(host *component.Host) (*ledger, error) {
	l := s.current()
	if l == nil || l.used.Load() {
		var err error
		if l, err = readLedger(host.FS, host.StateDir, host.Log); err != nil {
			return nil, err
		}
		s.keep(l)
	}
	return l, l.begin(host.StateDir)
}

func (s *source) stream(generation string) *event.Stream {
	return &event.Stream{Source: s.address, Generation: generation, Position: position}
}

// position is meta.position: the event's number in the ledger.
func position(number int64) document.Value {
	return document.NewObject([]document.Member{{Name: "number", Value: document.NewInt(number)}})
}

// Decode gives the events that a test has written, a line each.
func (s *source) Decode(text []byte, out component.Output) error {
	stream := s.stream("agents-test")
	options := codec.Options{Format: codec.JSON, MaxLine: codec.DefaultMaxLine}
	return options.Decode(stream, text, func(lot *component.Lot) error {
		lot.Received = time.Now()
		lot.Position.Generation = stream.Generation
		return out.Emit(context.Background(), lot)
	})
}

var (
	_ component.Forgetter  = (*source)(nil)
	_ component.Finite     = (*source)(nil)
	_ component.TextSource = (*source)(nil)
	_ component.Checker    = (*source)(nil)
	_ component.Reads      = (*source)(nil)
)
