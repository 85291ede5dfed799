package compression

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMethods(t *testing.T) {
	long := strings.Repeat("one line and another\n", 1000)
	for name, suffix := range map[string]string{"zstd": ".zst", "gzip": ".gz"} {
		m := New(name)
		if m.Name() != name || m.Suffix() != suffix {
			t.Errorf("%s: %s %s", name, m.Name(), m.Suffix())
		}
		all := []byte("before")
		for _, text := range []string{long, "", "x"} { // one behind the other
			all = m.Append(all, []byte(text))
		}
		if !bytes.HasPrefix(all, []byte("before")) || len(all) > 300 {
			t.Errorf("%s: %d bytes", name, len(all))
		}
		all = all[len("before"):]
		if got, err := Expand(name, all, 1<<20); err != nil || string(got) != long+"x" {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		if _, err := Expand(name, all, 100); err == nil || !strings.Contains(err.Error(), "larger than 100") {
			t.Errorf("%s: more than the limit: %v", name, err)
		}
		for i := range all { // a checksum is in each
			broken := bytes.Clone(all)
			broken[i] ^= 0x10
			if got, err := Expand(name, broken, 1<<20); err == nil && string(got) != long+"x" {
				t.Errorf("%s: byte %d: %d bytes", name, i, len(got))
			}
		}
	}
	if m := New(""); m != nil || m.Name() != "" || m.Suffix() != "" || string(m.Append([]byte("a"), []byte("b"))) != "ab" {
		t.Error("no compression does something")
	}
	if _, err := Expand("br", nil, 1); err == nil {
		t.Error("br is known")
	}
}

func FuzzExpand(f *testing.F) {
	for _, name := range []string{"zstd", "gzip"} {
		f.Add(name, New(name).Append(nil, []byte("text")))
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		if got, err := Expand(name, data, 1<<20); err == nil && len(got) > 1<<20 {
			t.Errorf("%d bytes", len(got))
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "testdata", "alerts", "f2b-ban-public.json"))
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"zstd", "gzip"} {
		for size, src := range map[string][]byte{"message": raw, "batch": bytes.Repeat(raw, 500)} {
			b.Run(name+"/"+size, func(b *testing.B) {
				m, dst := New(name), []byte(nil)
				b.SetBytes(int64(len(src)))
				b.ReportAllocs()
				for b.Loop() {
					dst = m.Append(dst[:0], src)
				}
				b.ReportMetric(float64(len(src))/float64(len(dst)), "ratio")
			})
		}
	}
}
