package document

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// alertLines are the fixture alerts, without the one of 300 KB that is one
// long text and would decide every number.
func alertLines(tb testing.TB) (lines [][]byte, size int64) {
	tb.Helper()
	raw, err := os.ReadFile("../../testdata/alerts/alerts.jsonl")
	if err != nil {
		tb.Fatal(err)
	}
	for line := range bytes.Lines(raw) {
		if line = bytes.TrimSpace(line); json.Valid(line) && len(line) < 100_000 {
			lines = append(lines, line)
			size += int64(len(line))
		}
	}
	if len(lines) == 0 {
		tb.Fatal("no alerts")
	}
	return lines, size
}

func BenchmarkReset(b *testing.B) {
	lines, size := alertLines(b)
	var d Document
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		for _, line := range lines {
			if err := d.Reset(line); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkParse(b *testing.B) {
	lines, size := alertLines(b)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		for _, line := range lines {
			if _, err := Parse(line); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkEncodingJSONValid(b *testing.B) {
	lines, size := alertLines(b)
	b.SetBytes(size)
	for b.Loop() {
		for _, line := range lines {
			if !json.Valid(line) {
				b.Fatal("invalid")
			}
		}
	}
}

func BenchmarkAt(b *testing.B) {
	raw, err := os.ReadFile("../../testdata/alerts/win-4625-with-ip.json")
	if err != nil {
		b.Fatal(err)
	}
	root := mustParse(b, string(raw))
	wanted := NewText("4625")
	b.ReportAllocs()
	for b.Loop() {
		if !Equal(root.At("data", "win", "system", "eventID"), wanted) {
			b.Fatal("not found")
		}
	}
}

func BenchmarkDecodeText(b *testing.B) {
	raw, err := os.ReadFile("../../testdata/alerts/win-4625-with-ip.json")
	if err != nil {
		b.Fatal(err)
	}
	message := mustParse(b, string(raw)).At("data", "win", "system", "message")
	var buffer []byte
	b.ReportAllocs()
	for b.Loop() {
		buffer = message.AppendText(buffer[:0])
	}
	b.SetBytes(int64(len(buffer)))
}

func BenchmarkWithAndAppendJSON(b *testing.B) {
	raw, err := os.ReadFile("../../testdata/alerts/win-4625-with-ip.json")
	if err != nil {
		b.Fatal(err)
	}
	root := mustParse(b, string(raw))
	path, to := []string{"data", "win", "system", "eventID"}, NewInt(1)
	var buffer []byte
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		buffer = root.With(path, to).AppendJSON(buffer[:0])
	}
}

// The XML of a Windows event as a member of what goes out.
func BenchmarkAppendText(b *testing.B) {
	v := NewText(strings.Repeat(`<Data Name="SubjectUserName">WIN-SRV$ of the domain</Data>`, 25))
	dst := v.AppendJSON(nil)
	b.SetBytes(int64(len(dst)))
	for b.Loop() {
		dst = v.AppendJSON(dst[:0])
	}
}
