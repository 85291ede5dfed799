package stdio

import (
	"context"
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"

	"github.com/wazuh-etl/etl/runtime/component"
)

// sink is sink "stdout".
type sink struct {
	out     io.Writer
	visible bool       // out is a terminal: control characters of events must not reach it
	writing chan error // the result of a write that was not waited for; nil: there is none
}

func (s *sink) Encode(*component.Message) error             { return nil }
func (s *sink) Open(context.Context, *component.Host) error { return nil }

// Deliver writes the messages at once. A write can't be interrupted: one that
// blocks when ctx ends goes on behind its back, and the next call waits for it.
func (s *sink) Deliver(ctx context.Context, messages []*component.Message) error {
	if s.writing == nil {
		var lines []byte
		for _, m := range messages {
			lines = append(s.appendShown(lines, m.Payload), '\n')
		}
		s.writing = make(chan error, 1)
		go func(result chan<- error) {
			_, err := s.out.Write(lines)
			result <- err
		}(s.writing)
		select {
		case err := <-s.writing:
			s.writing = nil
			if err != nil {
				return fmt.Errorf("writing to standard output: %w", err)
			}
			for _, m := range messages {
				m.Done()
			}
			return nil
		case <-ctx.Done():
		}
	} else {
		select {
		case <-s.writing:
			s.writing = nil
			return s.Deliver(ctx, messages)
		case <-ctx.Done():
		}
	}
	for _, m := range messages {
		m.Return()
	}
	return nil
}

// appendShown appends a payload as it is, for a terminal with its control
// characters as \u001b.
func (s *sink) appendShown(dst, payload []byte) []byte {
	if !s.visible {
		return append(dst, payload...)
	}
	for _, c := range string(payload) {
		if unicode.IsControl(c) && c != '\t' && c != '\n' {
			dst = fmt.Appendf(dst, "\\u%04x", c)
		} else {
			dst = utf8.AppendRune(dst, c)
		}
	}
	return dst
}

// Limits are those of one write.
func (s *sink) Limits() (messages int, bytes int64, inFlight int) { return 1000, 1 << 20, 0 }

func (s *sink) Close() error { return nil }
