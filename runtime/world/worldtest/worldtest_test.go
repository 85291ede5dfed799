package worldtest

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/wazuh-etl/etl/runtime/world"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, files world.FS, name, text string) world.File {
	t.Helper()
	f, err := files.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	must(t, err)
	_, err = io.WriteString(f, text)
	must(t, err)
	return f
}

// linker has links, as the machine has.
type linker interface {
	world.FS
	Link(from, to string) error
}

type machine struct{ world.FS }

func (machine) Link(from, to string) error { return os.Link(from, to) }

// The same steps give the same on the machine's file system and in memory.
func TestLikeTheMachine(t *testing.T) {
	memory := NewFS()
	must(t, memory.MkdirAll("/dir", 0o755))
	for name, c := range map[string]struct {
		files linker
		dir   string
	}{"machine": {machine{world.OS().FS}, t.TempDir()}, "memory": {memory, "/dir"}} {
		t.Run(name, func(t *testing.T) {
			at := func(name string) string { return filepath.Join(c.dir, name) }
			read := func(name string) string {
				b, err := c.files.ReadFile(at(name))
				must(t, err)
				return string(b)
			}
			f := write(t, c.files, at("a"), "one")
			must(t, c.files.Link(at("a"), at("b")))
			must(t, c.files.Remove(at("a")))
			_, err := io.WriteString(f, "two")
			must(t, err)
			if got := read("b"); got != "onetwo" {
				t.Errorf("through the link: %q", got)
			}
			if _, err := c.files.Open(at("a")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("open of what was removed: %v", err)
			}
			if _, err := c.files.Open(at("missing/a")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("open below what is missing: %v", err)
			}
			if _, err := c.files.OpenFile(at("b"), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600); !errors.Is(err, fs.ErrExist) {
				t.Errorf("exclusive: %v", err)
			}
			if _, err := c.files.OpenFile(c.dir, os.O_RDWR, 0); !errors.Is(err, syscall.EISDIR) {
				t.Errorf("writing a directory: %v", err)
			}
			if err := c.files.MkdirAll(at("b/c"), 0o755); !errors.Is(err, syscall.ENOTDIR) {
				t.Errorf("directory below a file: %v", err)
			}
			must(t, f.Truncate(2))
			_, err = io.WriteString(f, "!")
			must(t, err)
			if got := read("b"); got != "on!" {
				t.Errorf("truncated: %q", got)
			}
			buf := make([]byte, 10)
			if n, err := f.ReadAt(buf, 1); n != 2 || err != io.EOF {
				t.Errorf("ReadAt: %d, %v", n, err)
			}
			must(t, c.files.MkdirAll(at("d/e"), 0o755))
			must(t, c.files.Rename(at("b"), at("d/e/f")))
			must(t, c.files.Rename(at("d"), at("g")))
			if got := read("g/e/f"); got != "on!" {
				t.Errorf("moved: %q", got)
			}
			if err := c.files.Remove(at("g")); !errors.Is(err, syscall.ENOTEMPTY) {
				t.Errorf("removing what is not empty: %v", err)
			}
			entries, err := c.files.ReadDir(c.dir)
			must(t, err)
			if len(entries) != 1 || entries[0].Name() != "g" || !entries[0].IsDir() {
				t.Errorf("entries %v", entries)
			}
			must(t, f.Close())
			if _, err := f.Write(nil); !errors.Is(err, fs.ErrClosed) {
				t.Errorf("write after close: %v", err)
			}
		})
	}
}

func TestCrashKeepsWhatWasSynced(t *testing.T) {
	files := NewFS()
	must(t, files.MkdirAll("/d", 0o755))
	must(t, files.SyncDir("/"))
	f := write(t, files, "/d/a", "synced ")
	must(t, f.Sync())
	must(t, files.SyncDir("/d"))
	_, err := io.WriteString(f, "lost")
	must(t, err)
	write(t, files, "/d/new", "x")
	must(t, files.Rename("/d/a", "/d/b"))
	files.Crash(func(string, int) int { return 2 })
	if b, err := files.ReadFile("/d/a"); err != nil || string(b) != "synced lo" {
		t.Errorf("%q, %v", b, err)
	}
	if entries, err := files.ReadDir("/d"); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
	if _, err := f.Write([]byte("x")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("a handle from before the crash: %v", err)
	}
}

func TestFaults(t *testing.T) {
	files := NewFS()
	f := write(t, files, "/a", "")
	files.FailNth(OpWrite, 2, ShortWrite{Bytes: 1, Err: syscall.EIO})
	_, err := io.WriteString(f, "ab")
	must(t, err)
	if n, err := io.WriteString(f, "cd"); n != 1 || !errors.Is(err, syscall.EIO) {
		t.Errorf("%d, %v", n, err)
	}
	files.Fault(nil)
	files.Space(2)
	if n, err := io.WriteString(f, "efg"); n != 2 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%d, %v", n, err)
	}
	must(t, f.Truncate(0)) // frees what it held
	if n, err := io.WriteString(f, "hijkl"); n != 5 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

func TestNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New()
		if _, err := w.Dial(t.Context(), "tcp", "broker:9092"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("nobody there: %v", err)
		}
		l, err := w.Listen(t.Context(), "tcp", "broker:9092")
		must(t, err)
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go io.Copy(c, c)
			}
		}()
		c, err := w.Dial(t.Context(), "tcp", "broker:9092")
		must(t, err)
		_, err = io.WriteString(c, "hello\n")
		must(t, err)
		if line, err := bufio.NewReader(c).ReadString('\n'); line != "hello\n" {
			t.Errorf("%q, %v", line, err)
		}
		w.Net.Cut()
		if _, err := c.Write([]byte("x")); err == nil {
			t.Error("the connection was cut")
		}
		must(t, l.Close())
		if _, err := w.Dial(t.Context(), "tcp", "broker:9092"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("nobody there any more: %v", err)
		}
	})
}

// An inode is free when its file has no name and nobody has it open.
func TestInodesAreReused(t *testing.T) {
	f := NewFS()
	f.ReuseInodes()
	create := func(name string) (inode uint64) {
		t.Helper()
		h, err := f.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o640)
		must(t, err)
		info, err := h.Stat()
		must(t, err)
		_, inode = f.Identity(info)
		must(t, h.Close())
		return inode
	}
	gone := create("/a")
	h, err := f.Open("/a")
	must(t, err)
	must(t, f.Remove("/a"))
	if create("/b") == gone {
		t.Error("the inode of an open file is another's")
	}
	h.Close()
	if create("/c") != gone {
		t.Error("the inode of a file that is gone is nobody's")
	}
}
