// Package codec turns the bytes of an input into the lines of lots: what
// every source that reads text has in common. A component may import it.
package codec

import (
	"fmt"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
)

// Format says what a line is.
type Format string

// The formats.
const (
	JSON  Format = "json"  // an object
	Lines Format = "lines" // any text, which becomes {"message": text}
)

// Options say how text is read. The zero value is not useful: take them from
// FromConfig, or set Format and MaxLine.
type Options struct {
	Format   Format
	MaxLine  int64 // bytes of a line without its line break; a longer one is a Failure
	Validate bool  // parse every line, instead of looking at its first and last character
}

// DefaultMaxLine is max_line_bytes where a pipeline does not say otherwise.
const DefaultMaxLine = 16 << 20

// keepOfLong is how much of a line over the limit is kept to show it.
const keepOfLong = 64 << 10

// Attrs are the attributes of a source that takes text; FromConfig reads them.
func Attrs() []component.Attr {
	return []component.Attr{
		{Name: "codec", Type: component.TypeEnum, Enum: []string{string(JSON), string(Lines)}, Default: string(JSON),
			Doc: "What a line is: `json`, an object; or `lines`, any text, which becomes `{\"message\": text}`. White space around a line, a byte order mark and empty lines are skipped."},
		{Name: "max_line_bytes", Type: component.TypeSize, Default: int64(DefaultMaxLine), Check: atLeastOne,
			Doc: "The longest line, without its line break. Of a longer one the first 64 KiB go to `.errors`, with its whole length in the message."},
		{Name: "validate", Type: component.TypeEnum, Enum: []string{"shape", "all"}, Default: "shape",
			Doc: "How a `json` line is checked when it is read: `shape` looks whether it begins with `{` and ends with `}`, `all` parses it. What fails goes to `.errors`. With `shape` a line that is broken inside goes there as soon as a component looks inside it."},
	}
}

func atLeastOne(value any) error {
	if n, ok := value.(int64); ok && n < 1 {
		return fmt.Errorf("must be at least 1 byte")
	}
	return nil
}

// FromConfig is what the attributes of Attrs say.
func FromConfig(c *component.Config) Options {
	return Options{Format: Format(c.String("codec")), MaxLine: c.Size("max_line_bytes"), Validate: c.String("validate") == "all"}
}

// Decode gives the lines of text to emit, in lots of bounded size: what a test
// does in place of reading. A last line without line break counts. The lot's
// Position has only its Offset set.
func (o Options) Decode(stream *event.Stream, text []byte, emit func(*component.Lot) error) error {
	s, lot := NewSplitter(o, 0), component.NewLot()
	for {
		n := copy(s.Room(), text)
		s.Advance(n)
		text = text[n:]
		take := s.Fill
		if n == 0 {
			take = s.Finish
		}
		if take(lot) {
			lot.Stream, lot.Position.Offset = stream, s.Offset()
			if err := emit(lot); err != nil {
				return err
			}
			lot = component.NewLot()
		}
		if n == 0 {
			lot.Free()
			return nil
		}
	}
}
