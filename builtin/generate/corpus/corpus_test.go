package corpus

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/wazuh-etl/etl/runtime/document"
)

func TestTheSameSeedGivesTheSameCorpus(t *testing.T) {
	var first, second, other bytes.Buffer
	for seed, out := range map[*bytes.Buffer]uint64{&first: 1, &second: 1, &other: 2} {
		if _, err := Write(seed, nil, MixBusy, 200_000, out); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two corpora of one seed differ")
	}
	if bytes.Equal(first.Bytes(), other.Bytes()) {
		t.Error("two seeds give the same corpus")
	}
}

func TestProportions(t *testing.T) {
	counts := corpusOf(t, func(Alert, document.Value) {})
	near := func(what string, part, of int, want, tolerance float64) {
		t.Helper()
		if got := float64(part) / float64(of); got < want-tolerance || got > want+tolerance {
			t.Errorf("%s: %.3f, want about %.3f", what, got, want)
		}
	}
	near("Linux alerts", counts.Linux, counts.Lines, 0.70, 0.03)
	near("Windows events", counts.Windows, counts.Lines, 0.25, 0.03)
	near("fail2ban", counts.Fail2ban, counts.Lines, 0.05, 0.015)
	near("wanted Windows events", counts.WindowsWanted, counts.Windows, 0.333, 0.05)
	near("fail2ban actions", counts.Public+counts.Private, counts.Fail2ban, 0.8, 0.1)
	near("public addresses", counts.Public, counts.Public+counts.Private, 0.7, 0.12)
	near("bytes of an alert", int(counts.Bytes)/1000, counts.Lines, 1.73, 0.15) // 400 MB of the reference are 231,832 alerts
}

// TestKindIsWhatTheFiltersSay reads the alerts as the DFN pipeline does.
func TestKindIsWhatTheFiltersSay(t *testing.T) {
	wanted := strings.Fields("4625 4719 4672 4720 1102 4724 4697 4698 4702 4794 4964 1100 3697")
	seen := map[string]bool{}
	timestamps := map[string]bool{}
	corpusOf(t, func(a Alert, root document.Value) {
		want, event := Irrelevant, root.At("data", "win", "system", "eventID").Text()
		if slices.Contains(wanted, event) {
			want = Windows
			seen[event] = true
		} else if root.At("data", "program_name").Text() == "fail2ban.actions" {
			want = Public
			if netip.MustParseAddr(root.At("data", "srcip").Text()).IsPrivate() {
				want = Private
			}
		}
		if a.Kind != want {
			t.Errorf("%s is %d, want %d", a.Line, a.Kind, want)
		}
		if got := root.Get("timestamp").Text(); got != a.Timestamp || timestamps[got] {
			t.Errorf("timestamp %s of %s, seen before: %v", got, a.Timestamp, timestamps[got])
		}
		timestamps[a.Timestamp] = true
	})
	if len(seen) < 8 {
		t.Errorf("only these events are there: %v", seen)
	}
}

func TestACorpusEndsWithARelevantAlert(t *testing.T) {
	for seed := range uint64(20) {
		var out, expect bytes.Buffer
		counts, err := Write(&out, &expect, MixBusy, 20_000, seed)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		expected := strings.Fields(expect.String())
		if len(lines) != counts.Lines || int64(out.Len()) != counts.Bytes || len(expected) != counts.Relevant {
			t.Errorf("%d lines of %d bytes with %d relevant, counted as %+v", len(lines), out.Len(), len(expected), counts)
		}
		if last := fmt.Sprintf("{\"timestamp\":%q", expected[len(expected)-1]); !strings.HasPrefix(lines[len(lines)-1], last) {
			t.Errorf("seed %d ends with %s", seed, lines[len(lines)-1])
		}
	}
}

func TestMixes(t *testing.T) {
	for mix, want := range map[Mix]func(Counts) bool{
		MixBusy: func(c Counts) bool {
			return c.Linux > 0 && c.Fail2ban > 0 && c.WindowsWanted > 0 && c.Windows > c.WindowsWanted
		},
		MixIrrelevant: func(c Counts) bool { return c.Linux > 0 && c.Windows > 0 && c.Relevant == 0 && c.Private == 0 },
		MixLinux:      func(c Counts) bool { return c.Linux == c.Lines && c.Relevant == 0 },
		MixWindows:    func(c Counts) bool { return c.WindowsWanted == c.Lines && c.Relevant == c.Lines },
	} {
		counts, err := Write(io.Discard, nil, mix, 500_000, 1)
		if err != nil {
			t.Fatal(err)
		}
		if !want(counts) || counts.Bytes < 500_000 {
			t.Errorf("%s: %+v", mix, counts)
		}
		if parsed, err := ParseMix(mix.String()); parsed != mix || err != nil {
			t.Errorf("%s is read as %v, %v", mix, parsed, err)
		}
	}
	if _, err := ParseMix("mac"); err == nil {
		t.Error("a mix that is not there was found")
	}
}

func TestPublicAddressesArePublic(t *testing.T) {
	m := New(1)
	for range 10_000 {
		a := netip.MustParseAddr(m.publicAddress())
		if a.IsPrivate() || a.IsLoopback() || a.IsMulticast() || a.IsLinkLocalUnicast() || a.IsUnspecified() || !a.IsGlobalUnicast() {
			t.Fatalf("%v is not public", a)
		}
		if p := netip.MustParseAddr(m.privateAddress()); !p.IsPrivate() {
			t.Fatalf("%v is not private", p)
		}
	}
}

// corpusOf makes some thousand alerts and shows each to look.
func corpusOf(t *testing.T, look func(Alert, document.Value)) Counts {
	t.Helper()
	var counts Counts
	var d document.Document
	m := New(20260101)
	for range 5000 {
		a := m.Next()
		if err := d.Reset(a.Line); err != nil {
			t.Fatalf("%v: %s", err, a.Line)
		}
		counts.add(a)
		look(a, d.Root())
	}
	return counts
}

func BenchmarkNext(b *testing.B) {
	m := New(1)
	size := 0
	b.ReportAllocs()
	for b.Loop() {
		size += len(m.Next().Line)
	}
	b.SetBytes(int64(size / b.N))
}
