package codec

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
)

// got is a line as a test compares it.
type got struct {
	Offset  int64
	Text    string
	Failure string
}

// splitAll gives text to a splitter in pieces of the sizes that size returns.
func splitAll(t testing.TB, o Options, text []byte, start int64, size func() int) (lines []got, end int64) {
	s, lot := NewSplitter(o, start), component.NewLot()
	take := func() {
		for _, l := range lot.Lines {
			g := got{Offset: l.Offset, Text: string(lot.Data[l.Start:l.End])}
			if l.Failure != nil {
				g.Failure = l.Failure.Code + ": " + l.Failure.Message
			}
			lines = append(lines, g)
		}
		lot.Free()
		lot = component.NewLot()
	}
	for len(text) > 0 {
		n := copy(s.Room(), text[:min(len(text), size())])
		if n == 0 {
			t.Fatal("no room")
		}
		s.Advance(n)
		text = text[n:]
		if s.Fill(lot) {
			take()
		}
		if limit := max(o.MaxLine, keepOfLong) + 2*chunk; int64(len(s.buf)) > limit {
			t.Fatalf("%d bytes held, the bound is %d", len(s.buf), limit)
		}
	}
	if s.Finish(lot) {
		take()
	}
	if s.Pending() != 0 || s.Offset() != s.Next() {
		t.Fatalf("after the end: %d bytes pending, offset %d, next %d", s.Pending(), s.Offset(), s.Next())
	}
	return lines, s.Offset()
}

func whole() int { return 1 << 30 }

func TestLines(t *testing.T) {
	notObject := event.CodeNotObject + ": the line is no JSON object: it does not begin with { and end with }"
	for name, c := range map[string]struct {
		text string
		o    Options
		want []got
	}{
		"lines":              {text: "{}\n{\"a\":1}\n", want: []got{{0, "{}", ""}, {3, `{"a":1}`, ""}}},
		"line without break": {text: "{}\n{\"a\":1}", want: []got{{0, "{}", ""}, {3, `{"a":1}`, ""}}},
		"cut line":           {text: "{}\n{\"a\":", want: []got{{0, "{}", ""}, {3, `{"a":`, notObject}}},
		"CRLF":               {text: "{}\r\n{}\r\n", want: []got{{0, "{}", ""}, {4, "{}", ""}}},
		"empty lines":        {text: "\n\n{}\n  \n\r\n{}", want: []got{{2, "{}", ""}, {10, "{}", ""}}},
		"byte order mark":    {text: "\xef\xbb\xbf{}\n", want: []got{{0, "{}", ""}}},
		"mark and blanks":    {text: " \xef\xbb\xbf {} \n\xef\xbb\xbf\n", want: []got{{0, "{}", ""}}},
		"blanks around":      {text: "\t {\"a\" : 1} \t\n", want: []got{{0, `{"a" : 1}`, ""}}},
		"not an object":      {text: " [1]\n{}\n", want: []got{{0, "[1]", notObject}, {5, "{}", ""}}},
		"invalid UTF-8":      {text: "{\"a\":\"\xf8\"}\n", want: []got{{0, "{\"a\":\"\xf8\"}", ""}}},
		"hole of zeros":      {text: "\x00\x00\x00{}\n\x00\n{}\n", want: []got{{3, "{}", ""}, {8, "{}", ""}}},
		"broken inside":      {text: "{nonsense}\n", want: []got{{0, "{nonsense}", ""}}},
		"too long": {text: "{\"a\":1}\n{}\n", o: Options{MaxLine: 4},
			want: []got{{0, `{"a":1}`, "line_too_long: the line has 7 bytes, max_line_bytes allows 4; at most its first 65536 are kept"}, {8, "{}", ""}}},
		"message":          {text: "a \"b\"\\\t\x01\r\n\n", o: Options{Format: Lines}, want: []got{{0, `{"message":"a \"b\"\\\t\u0001"}`, ""}}},
		"message too long": {text: "abcde\n", o: Options{Format: Lines, MaxLine: 4}, want: []got{{0, "abcde", "line_too_long: the line has 5 bytes, max_line_bytes allows 4; at most its first 65536 are kept"}}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.o.Format == "" {
				c.o.Format = JSON
			}
			if c.o.MaxLine == 0 {
				c.o.MaxLine = DefaultMaxLine
			}
			for _, size := range []func() int{whole, func() int { return 1 }} {
				lines, end := splitAll(t, c.o, []byte(c.text), 0, size)
				if diff := cmp.Diff(c.want, lines); diff != "" {
					t.Error(diff)
				}
				if end != int64(len(c.text)) {
					t.Errorf("stands at %d, the end is %d", end, len(c.text))
				}
			}
		})
	}
}

func TestValidateAllParsesEveryLine(t *testing.T) {
	lines, _ := splitAll(t, Options{Format: JSON, MaxLine: 100, Validate: true}, []byte("{\"a\":1}\n{nonsense}\n{}\n"), 0, whole)
	if len(lines) != 3 || lines[0].Failure != "" || !strings.HasPrefix(lines[1].Failure, event.CodeNotJSON) || lines[2].Failure != "" {
		t.Errorf("%+v", lines)
	}
}

// A line over the limit costs no more memory than the limit (splitAll looks),
// says its length, and the next line does not suffer.
func TestLineFarOverTheLimit(t *testing.T) {
	const length = 5 << 20
	text := append(append([]byte("{}\n{"), bytes.Repeat([]byte("x"), length-1)...), "\n{\"b\":2}\n"...)
	lines, _ := splitAll(t, Options{Format: JSON, MaxLine: 1 << 20}, text, 100, func() int { return 10_000 })
	if len(lines) != 3 {
		t.Fatalf("%d lines", len(lines))
	}
	long := lines[1]
	if want := fmt.Sprintf("the line has %d bytes", length); !strings.Contains(long.Failure, want) {
		t.Errorf("failure %q, want %q in it", long.Failure, want)
	}
	if long.Offset != 103 || len(long.Text) != keepOfLong || !strings.HasPrefix(long.Text, "{xxx") {
		t.Errorf("offset %d, %d bytes kept", long.Offset, len(long.Text))
	}
	if last := lines[2]; last.Offset != 103+length+1 || last.Text != `{"b":2}` {
		t.Errorf("%+v", last)
	}
}

// A buffer that is made for a flood must not be held by the lots of a trickle.
func TestSmallLotsHoldLittle(t *testing.T) {
	s := NewSplitter(Options{Format: JSON, MaxLine: DefaultMaxLine}, 0)
	for range 100 {
		lot := component.NewLot()
		s.Advance(copy(s.Room(), "{\"a\":1}\n"))
		if !s.Fill(lot) {
			t.Fatal("no line")
		}
		if cap(lot.Data) > 8192 || cap(lot.Lines) > 128 {
			t.Fatalf("a lot of one line holds %d bytes and %d lines", cap(lot.Data), cap(lot.Lines))
		}
	}
}

func TestNoAllocationPerLine(t *testing.T) {
	text := bytes.Repeat([]byte(`{"rule":{"level":3},"data":{"x":"y"}}`+"\n"), 5000)
	s := NewSplitter(Options{Format: JSON, MaxLine: DefaultMaxLine}, 0)
	lines := 0
	read := func() {
		lot := component.NewLot()
		s.Advance(copy(s.Room(), text))
		if s.Fill(lot) {
			lines += len(lot.Lines)
		}
		lot.Free()
	}
	read()
	lines = 0
	if allocs := testing.AllocsPerRun(100, read); allocs > 50 { // a few for each lot, more where the race detector empties the pool
		t.Errorf("%v allocations for each %d lines", allocs, lines/101)
	}
}

// FuzzSplitter holds the lines to those of bytes.Split, wherever reads end.
func FuzzSplitter(f *testing.F) {
	for _, text := range []string{"{}\n{}\n", "{\"a\":1}\r\n\n[\n\xef\xbb\xbf{}", "\x00\x00{}\n{aaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n{}", strings.Repeat("x", 200) + "\n{}"} {
		f.Add([]byte(text), uint64(1), uint8(20), false)
		f.Add([]byte(text), uint64(2), uint8(3), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, seed uint64, limit uint8, messages bool) {
		o := Options{Format: JSON, MaxLine: int64(limit) + 1}
		if messages {
			o.Format = Lines
		}
		random := rand.New(rand.NewPCG(seed, 1))
		lines, end := splitAll(t, o, text, 7, func() int { return 1 + random.IntN(12) })
		if end != 7+int64(len(text)) {
			t.Errorf("stands at %d of %d", end-7, len(text))
		}
		var want []got
		offset := int64(7)
		for line := range bytes.SplitSeq(text, []byte("\n")) {
			next := offset + int64(len(line)) + 1
			bare := bytes.TrimLeft(line, "\x00")
			offset += int64(len(line) - len(bare))
			g := got{Offset: offset}
			trimmed := bytes.Trim(bare, " \t\r")
			if rest, ok := bytes.CutPrefix(trimmed, byteOrderMark); ok {
				trimmed = bytes.Trim(rest, " \t\r")
			}
			switch {
			case int64(len(bare)) > o.MaxLine:
				g.Text, g.Failure = string(bare), "line_too_long: "+tooLong(int64(len(bare)), o.MaxLine).Message
			case len(trimmed) == 0:
				offset = next
				continue
			case messages:
				g.Text = string(appendMessage(nil, trimmed))
			default:
				g.Text = string(trimmed)
				if trimmed[0] != '{' || trimmed[len(trimmed)-1] != '}' {
					g.Failure = "not_an_object: the line is no JSON object: it does not begin with { and end with }"
				}
			}
			want = append(want, g)
			offset = next
		}
		if diff := cmp.Diff(want, lines); diff != "" {
			t.Error(diff)
		}
	})
}

func BenchmarkSplit(b *testing.B) {
	for _, length := range []int{200, 1000, 4000} {
		b.Run(fmt.Sprintf("%dB", length), func(b *testing.B) {
			line := append(append([]byte(`{"a":"`), bytes.Repeat([]byte("x"), length-9)...), "\"}\n"...)
			text := bytes.Repeat(line, (1<<20)/length)
			s := NewSplitter(Options{Format: JSON, MaxLine: DefaultMaxLine}, 0)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				for rest := text; len(rest) > 0; {
					n := copy(s.Room(), rest)
					s.Advance(n)
					rest = rest[n:]
					lot := component.NewLot()
					s.Fill(lot)
					lot.Free()
				}
			}
		})
	}
}
