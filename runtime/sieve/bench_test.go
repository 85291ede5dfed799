package sieve

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/wazuh-etl/etl/runtime/component"
)

// lot is the test alerts again and again, as a source hands them over.
func lot(b *testing.B) (data []byte, lines []component.Line) {
	alerts, err := os.ReadFile("../../testdata/alerts/alerts.jsonl")
	if err != nil {
		b.Fatal(err)
	}
	for len(data) < 128<<10 {
		for line := range bytes.Lines(alerts) {
			lines = append(lines, component.Line{Start: len(data), End: len(data) + len(line) - 1})
			data = append(data, line...)
		}
	}
	return data, lines
}

// What it costs to know of each line which of some conditions can be true:
// about the same for one as for hundreds.
func BenchmarkSift(b *testing.B) {
	data, lines := lot(b)
	for _, conditions := range []int{1, 2, 10, 100, 1000} {
		b.Run(fmt.Sprint("conditions=", conditions), func(b *testing.B) {
			var needs []Need
			for i := range conditions {
				needs = append(needs, Need{Member(fmt.Sprintf("member%d", i), "some value")})
			}
			s := New(needs)
			var found Found
			s.Sift(data, lines, &found)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				s.Sift(data, lines, &found)
			}
		})
	}
}

// The same for one document after the other.
func BenchmarkMet(b *testing.B) {
	data, lines := lot(b)
	need := Need{Member("eventID", "1100", "1102", "4625")}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		for _, l := range lines {
			need.Met(data[l.Start:l.End])
		}
	}
}
