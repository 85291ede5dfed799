package service

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"sync"
	"unicode/utf8"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// dryRun writes what sinks would send: one JSON document a line, in the form
//
//	{"sink":"sink.kafka.dfn","event_id":"…","attributes":{"topic":"…"},"payload":"…"}
//
// The payload is exactly what would be sent, as payload_base64 where it is not
// UTF-8.
type dryRun struct {
	mu  sync.Mutex
	out *bufio.Writer
}

func newDryRun(out io.Writer) *dryRun { return &dryRun{out: bufio.NewWriter(out)} }

// sink is the double of n's sink: it encodes, and writes instead of sending.
func (d *dryRun) sink(n *plan.Node) component.Sink {
	return &drySink{dry: d, address: n.Address, real: n.Sink}
}

type drySink struct {
	dry     *dryRun
	address string
	real    component.Sink
}

func (s *drySink) Encode(m *component.Message) error { return s.real.Encode(m) }

func (s *drySink) Open(context.Context, *component.Host) error { return nil }
func (s *drySink) Close() error                                { return nil }

func (s *drySink) Deliver(_ context.Context, messages []*component.Message) error {
	s.dry.mu.Lock()
	defer s.dry.mu.Unlock()
	for _, m := range messages {
		if _, err := s.dry.out.Write(append(s.line(m), '\n')); err != nil {
			return fmt.Errorf("writing the dry run: %w", err)
		}
	}
	if err := s.dry.out.Flush(); err != nil {
		return fmt.Errorf("writing the dry run: %w", err)
	}
	for _, m := range messages {
		m.Done()
	}
	return nil
}

func (s *drySink) line(m *component.Message) []byte {
	members := []document.Member{
		{Name: "sink", Value: document.NewText(s.address)},
		{Name: "event_id", Value: document.NewText(m.Event.ID())},
		{Name: "attributes", Value: document.NewObject(m.Attributes)},
	}
	if f := m.Event.Failure(); f != nil {
		members = append(members, document.Member{Name: "error", Value: m.Event.Meta("error")})
	}
	if utf8.Valid(m.Payload) {
		members = append(members, document.Member{Name: "payload", Value: document.NewText(string(m.Payload))})
	} else {
		members = append(members, document.Member{Name: "payload_base64", Value: document.NewText(base64.StdEncoding.EncodeToString(m.Payload))})
	}
	return document.NewObject(members).AppendJSON(nil)
}
