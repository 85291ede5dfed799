package peek

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wazuh-etl/etl/builtin/compression"
)

// maxExpanded is the most that a compressed message may hold to be shown so, in bytes.
const maxExpanded = 64 << 20

// printer writes messages.
type printer struct {
	w io.Writer
	o Options

	out *bufio.Writer
}

// begin writes a stream's name, where its messages don't tell it.
func (p *printer) begin(stream string, n uint64) error {
	if p.out == nil {
		p.out = bufio.NewWriterSize(p.w, 64<<10)
	}
	if p.o.JSON {
		return nil
	}
	noun := "messages"
	if n == 1 {
		noun = "message"
	}
	_, err := fmt.Fprintf(p.out, "# stream %s: %d %s\n", p.text(stream), n, noun)
	return err
}

// record is a message in JSON.
type record struct {
	Stream        string      `json:"stream"`
	Sequence      uint64      `json:"sequence"`
	Time          time.Time   `json:"time"`
	Subject       string      `json:"subject"`
	MessageID     string      `json:"message_id,omitempty"`
	Headers       nats.Header `json:"headers,omitempty"`
	Payload       *string     `json:"payload,omitempty"`
	PayloadBase64 []byte      `json:"payload_base64,omitempty"` // where it is not UTF-8
}

func (p *printer) message(stream string, m *jetstream.RawStreamMsg) error {
	id, data := m.Header.Get(nats.MsgIdHdr), m.Data
	if method := m.Header.Get("Content-Encoding"); method != "" {
		if inside, err := compression.Expand(method, data, maxExpanded); err == nil {
			data = inside // else it is shown as it came
		}
	}
	if p.o.JSON {
		r := record{Stream: stream, Sequence: m.Sequence, Time: m.Time, Subject: m.Subject, MessageID: id, Headers: m.Header}
		delete(r.Headers, nats.MsgIdHdr)
		if utf8.Valid(data) {
			text := string(data)
			r.Payload = &text
		} else {
			r.PayloadBase64 = data
		}
		e := json.NewEncoder(p.out)
		e.SetEscapeHTML(false)
		return e.Encode(r)
	}
	if id == "" {
		id = "-"
	}
	_, err := fmt.Fprintf(p.out, "%d %s %s %s\n", m.Sequence, p.text(m.Subject), p.text(id), p.text(string(data)))
	return err
}

func (p *printer) end() error {
	if p.out == nil {
		return nil
	}
	return p.out.Flush()
}

// text is s on one line and, for a terminal, with nothing in it that could
// steer it.
func (p *printer) text(s string) string {
	var b []byte
	for i, r := range s {
		bad := r == '\n' || r == '\r' || p.o.Escape && (unicode.IsControl(r) || r == utf8.RuneError || unicode.Is(unicode.Cf, r))
		if bad && b == nil {
			b = append(make([]byte, 0, len(s)+16), s[:i]...)
		}
		switch {
		case b == nil:
		case !bad:
			b = utf8.AppendRune(b, r)
		default:
			q := strconv.QuoteRuneToASCII(r)
			b = append(b, q[1:len(q)-1]...)
		}
	}
	if b == nil {
		return s
	}
	return string(b)
}
