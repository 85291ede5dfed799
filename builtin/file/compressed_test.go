package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wazuh-etl/etl/builtin/compression"
	"github.com/wazuh-etl/etl/runtime/linefile"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

func expanded(t *testing.T, method string, content []byte) string {
	t.Helper()
	text, err := compression.Expand(method, content, 1<<20)
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	return string(text)
}

func writeTo(t *testing.T, files *worldtest.FS, path string, content []byte) {
	t.Helper()
	if err := files.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	f, err := files.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// A file of many batches, over a restart, is one that the method's own reader
// and its program read.
func TestCompressedFile(t *testing.T) {
	for method, program := range map[string]string{"zstd": "zstd", "gzip": "gzip"} {
		suffix := compression.New(method).Suffix()
		var want string
		d := newDelivery(t, newSink, map[string]any{"path": always("out.jsonl"), "compression": method})
		for batch := range 3 {
			d.must(d.open())
			for range 2 {
				one, two := fmt.Sprintf(`{"batch":%d}`, batch), fmt.Sprintf(`{"and":%d}`, batch)
				d.must(d.deliver(t.Context(), one, two))
				d.want(one, "<nil>")
				want += one + "\n" + two + "\n"
			}
			d.must(d.sink.Close())
		}
		content, err := d.files.ReadFile("/state/out.jsonl" + suffix)
		d.must(err)
		if got := expanded(t, method, content); got != want {
			t.Errorf("%s: %q", method, got)
		}
		if place, command := d.sink.(*sink).Destination(); place != "/state/out.jsonl"+suffix || !strings.HasPrefix(command, "z") {
			t.Errorf("%s, %s", place, command)
		}
		if _, err := exec.LookPath(program); err != nil {
			continue // Expand has said it; the program is a second opinion
		}
		cmd := exec.Command(program, "-dc")
		cmd.Stdin = bytes.NewReader(content)
		if got, err := cmd.Output(); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", program, got, err)
		}
	}
}

func TestCompressedSuffix(t *testing.T) {
	d := newDelivery(t, newSink, map[string]any{"path": byName("by"), "compression": "gzip"})
	d.must(d.open())
	d.must(d.deliver(t.Context(), `{"name":"a"}`, `{"name":"b.gz"}`))
	for _, path := range []string{"/state/by/a.gz", "/state/by/b.gz"} {
		if _, err := d.files.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

// Wherever a crash cuts the last batch, those before it stay, and what is
// delivered next can be read.
func TestCompressedCutAnywhere(t *testing.T) {
	for _, method := range []string{"zstd", "gzip"} {
		c := newCompressed(compression.New(method))
		first := append(c.piece([]byte("one\ntwo\n")), c.piece([]byte("three\n"))...)
		all := append(bytes.Clone(first), c.piece([]byte("four\n"))...)
		for cut := range len(all) {
			short := all[:cut]
			zeros := append(bytes.Clone(short), make([]byte, len(all)-cut)...) // its length was written, and its bytes were not
			for name, content := range map[string][]byte{"cut": short, "zeros": zeros} {
				d := newDelivery(t, newSink, map[string]any{"path": always("x"), "compression": method})
				path := "/state/x" + compression.New(method).Suffix()
				writeTo(t, d.files, path, content)
				if name == "zeros" && cut < len(first) {
					continue // not of the last batch, which alone was not synced
				}
				d.must(d.open())
				d.must(d.deliver(t.Context(), "next"))
				left, err := d.files.ReadFile(path)
				d.must(err)
				want := "next\n"
				switch {
				case bytes.Equal(content, all):
					want = "one\ntwo\nthree\nfour\n" + want
				case cut >= len(first):
					want = "one\ntwo\nthree\n" + want
				case cut >= len(c.piece([]byte("one\ntwo\n"))):
					want = "one\ntwo\n" + want
				}
				if got := expanded(t, method, left); got != want {
					t.Fatalf("%s, %s at %d of %d: %q, want %q", method, name, cut, len(all), got, want)
				}
			}
		}
	}
}

func TestCompressedLeavesOtherFilesAlone(t *testing.T) {
	for _, method := range []string{"zstd", "gzip"} {
		c, path := newCompressed(compression.New(method)), "/state/x"+compression.New(method).Suffix()
		for name, content := range map[string][]byte{
			"lines":      []byte("these are lines\n"),
			"short":      []byte("x"),
			"a stranger": compression.New(method).Append(nil, []byte("x\n")),
			"behind":     append(c.piece([]byte("one\n")), "and more behind it that is not ours"...),
		} {
			d := newDelivery(t, newSink, map[string]any{"path": always("x"), "compression": method})
			writeTo(t, d.files, path, content)
			if err := d.open(); !errors.Is(err, linefile.ErrFormat) || !linefile.Unusable(err) {
				t.Errorf("%s: %s: %v", method, name, err)
			}
			d.wantFile(path, string(content))
		}
	}
}

// A disk that can't be read is no piece that is cut.
func TestCompressedReadFails(t *testing.T) {
	broken := errors.New("broken")
	for _, method := range []string{"zstd", "gzip"} {
		c := newCompressed(compression.New(method))
		content := c.piece([]byte("one\n"))
		for n := range 2 {
			if end, err := c.End(&failing{bytes.NewReader(content), n, broken}, int64(len(content))); !errors.Is(err, broken) {
				t.Errorf("%s: read %d: %d, %v", method, n, end, err)
			}
		}
	}
}

// failing fails at the nth read, counted from 0.
type failing struct {
	*bytes.Reader
	n   int
	err error
}

func (f *failing) ReadAt(b []byte, at int64) (int, error) {
	if f.n--; f.n < 0 {
		return 0, f.err
	}
	return f.Reader.ReadAt(b, at)
}

func TestCompressedRotates(t *testing.T) {
	d := newDelivery(t, newSink, map[string]any{"path": always("x"), "compression": "zstd", "max_bytes": int64(40), "keep": 1})
	d.must(d.open())
	for n := range 4 {
		d.must(d.deliver(context.Background(), fmt.Sprint(n)))
	}
	for path, want := range map[string]string{"/state/x.zst": "3\n", "/state/x.zst.1": "2\n"} {
		content, err := d.files.ReadFile(path)
		d.must(err)
		if got := expanded(t, "zstd", content); got != want {
			t.Errorf("%s: %q", path, got)
		}
	}
	if log := d.log.String(); !strings.Contains(log, "lines=1 lines_so_far=2") {
		t.Errorf("log %s", log)
	}
}

func FuzzCompressedEnd(f *testing.F) {
	for _, method := range []string{"zstd", "gzip"} {
		c := newCompressed(compression.New(method))
		f.Add(method, append(c.piece([]byte("one\n")), c.piece([]byte("two\n"))...))
	}
	f.Fuzz(func(t *testing.T, method string, content []byte) {
		c := newCompressed(compression.New(method))
		if c == nil {
			return
		}
		end, err := c.End(bytes.NewReader(content), int64(len(content)))
		if end < 0 || end > int64(len(content)) {
			t.Fatalf("%d of %d", end, len(content))
		}
		if err == nil { // what is left is a file of the sink's; its end was synced, and is not asked again
			if again, err := c.End(bytes.NewReader(content[:end]), end); err != nil || again > end {
				t.Errorf("%d, then %d, %v", end, again, err)
			}
		}
	})
}
