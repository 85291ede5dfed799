package chaos

import (
	"bytes"
	"context"
	"strconv"
	"sync"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// number is the n of an alert; -1 for what has none.
func number(e *event.Event) int { return numberIn(e.Origin().Raw()) }

func numberIn(raw []byte) int {
	_, rest, ok := bytes.Cut(raw, []byte(`"n":`))
	if !ok {
		return -1
	}
	end := 0
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(string(rest[:end]))
	if err != nil {
		return -1
	}
	return n
}

// fileSource is all that source "file" is.
type fileSource interface {
	component.Resumable
	component.Finite
	component.Progress
}

// recordedSource is a source whose lots the oracle sees.
type recordedSource struct {
	fileSource
	h *harness
}

func (s *recordedSource) Run(ctx context.Context, host *component.Host, from []component.Position, out component.Output) error {
	return s.fileSource.Run(ctx, host, from, &recordedOutput{out, s.h})
}

type recordedOutput struct {
	component.Output
	h *harness
}

func (o *recordedOutput) Emit(ctx context.Context, lot *component.Lot) error {
	o.h.oracle.read(lot)
	return o.Output.Emit(ctx, lot)
}

// record makes the answers of sink known to the oracle.
func (h *harness) record(address string, sink component.Sink) component.Sink {
	return &recordedSink{Sink: sink, h: h, address: address}
}

type recordedSink struct {
	component.Sink
	h       *harness
	address string
}

func (s *recordedSink) Limits() (messages int, bytes int64, inFlight int) {
	return s.Sink.(component.Batching).Limits()
}

// Deliver notes what becomes of each message: answered, or of unknown outcome.
func (s *recordedSink) Deliver(ctx context.Context, messages []*component.Message) error {
	var mu sync.Mutex
	over := false
	told := make([]bool, len(messages))
	answers := make([]func(*component.Message, []document.Member, error), len(messages))
	for i, m := range messages {
		n, answer := number(m.Event), m.Answer
		answers[i] = answer
		m.Answer = func(m *component.Message, receipt []document.Member, err error) {
			mu.Lock()
			first := !over && !told[i]
			told[i] = true
			mu.Unlock()
			if first {
				s.h.oracle.answered(s.address, n, err == nil)
			}
			m.Answer = answer
			answer(m, receipt, err)
		}
	}
	err := s.Sink.Deliver(ctx, messages)
	if err == nil {
		return nil
	}
	mu.Lock()
	defer mu.Unlock()
	over = true
	for i, m := range messages {
		if !told[i] {
			m.Answer = answers[i]
			s.h.oracle.answered(s.address, number(m.Event), false)
		}
	}
	return err
}
