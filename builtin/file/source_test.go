package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestReadsWhatIsThereAndWhatComes(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.append(alerts, lines(0, 2))
		r.start()
		r.want(line(0), line(1))
		r.append(alerts, lines(2, 3)+`{"n"`)
		r.want(line(0), line(1), line(2)) // a line is handed over at once, its half is not
		r.append(alerts, ":3}\n")
		r.want(line(0), line(1), line(2), line(3))
		if want := printOf(r.out.ids[0][:16]) + "@24"; r.out.ids[3] != want {
			t.Errorf("id %s, want %s", r.out.ids[3], want)
		}
		if read, total := r.source.Progress(); read != 32 || total != 32 {
			t.Errorf("progress %d of %d", read, total)
		}
		r.stop()
	})
}

func TestWaitsForTheFile(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.source.path = "/later/on/alerts.json"
		r.source.atEnd = true // which is about files that are there at the start
		r.start()
		if err := r.health.get(); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("health %v", err)
		}
		r.must(r.files.MkdirAll("/later/on", 0o755))
		r.append(r.source.path, lines(0, 1))
		time.Sleep(time.Second)
		r.want(line(0))
		r.append(r.source.path, lines(1, 2))
		r.want(line(0), line(1)) // the new directory is watched
		if err := r.health.get(); err != nil {
			t.Errorf("health %v", err)
		}
		r.stop()
	})
}

func TestOnceWithoutFile(t *testing.T) {
	r := newRig(t)
	if err := r.once(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Run: %v", err)
	}
}

func TestStartAtEnd(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.source.atEnd = true
		r.append(alerts, lines(0, 2)+`{"n"`)
		r.start()
		r.want()
		position := r.out.last
		r.append(alerts, ":2}\n")
		r.want(line(2))
		r.stop()
		r.out = &collector{}
		r.append(alerts, lines(3, 5)) // while the process is down
		r.start(position)
		r.want(line(2), line(3), line(4))
		r.stop()
	})
}

func TestLastLineWithoutBreak(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.append(alerts, lines(0, 1)+line(1))
		r.must(r.once())
		r.want(line(0), line(1))
		last := r.out.positions[1]

		r = newRig(t)
		r.append(alerts, lines(0, 1)+`{"n":`)
		r.must(r.once())
		r.want(line(0), `{"n":`)
		if r.out.failures[1] != "not_an_object" {
			t.Errorf("failure %q", r.out.failures[1])
		}

		r = newRig(t) // it is completed after all
		r.append(alerts, lines(0, 2)+lines(2, 3))
		r.must(r.once(last))
		r.want(line(2))

		r = newRig(t) // rotated away, nothing will complete it
		r.append(alerts, lines(0, 1)+line(1))
		r.start()
		r.must(r.files.Rename(alerts, alerts+".1"))
		r.append(alerts, lines(2, 3))
		r.want(line(0), line(1), line(2))
		r.stop()
	})
}

func TestBrokenLinesAreFailures(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.source.options.MaxLine = 100
		long := `{"long":"` + strings.Repeat("x", 200_000) + `"}`
		r.append(alerts, "{\"cut\":\n"+lines(0, 1)+long+"\n"+lines(1, 2)+"[]\n")
		r.must(r.once())
		r.want(`{"cut":`, line(0), long[:64<<10], line(1), "[]")
		if got := fmt.Sprint(r.out.failures); got != "[not_an_object  line_too_long  not_an_object]" {
			t.Errorf("failures %v", got)
		}
	})
}

// What a position means can't be said as long as the file can't be read: that is for a while, and says what to do.
func TestUnreadableAtAResume(t *testing.T) {
	r := newRig(t)
	r.append(alerts, lines(0, 3))
	r.must(r.once())
	position := r.out.positions[0]
	r.files.Fault(func(op worldtest.Op, name string) error {
		if op == worldtest.OpOpen && name == alerts {
			return syscall.EACCES
		}
		return nil
	})
	_, err := r.source.Resume(r.host, []component.Position{position})
	if !errors.Is(err, syscall.EACCES) || !component.IsNotYet(err) || !strings.Contains(err.Error(), "etl runs as user "+userName(os.Geteuid())) {
		t.Errorf("error %v", err)
	}
	r.files.Fault(nil)
	if reachable, err := r.source.Resume(r.host, []component.Position{position}); err != nil || !reachable[0] {
		t.Errorf("reachable %v, error %v", reachable, err)
	}
}

// Who may not read a file is told whose it is.
func TestDeniedSaysWhoseTheFileIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.json")
	if err := os.WriteFile(path, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	me := userName(os.Geteuid())
	err := denied(world.OS().FS, path, fs.ErrPermission)
	if text := err.Error(); !errors.Is(err, fs.ErrPermission) || !strings.Contains(text, "of "+me+":") || !strings.Contains(text, "-rw-r-----") || !strings.Contains(text, "usermod -aG ") {
		t.Error(err)
	}
	if err := denied(world.OS().FS, path+"/x/y", fs.ErrPermission); !strings.Contains(err.Error(), "may not search a directory") {
		t.Error(err)
	}
	if err := denied(world.OS().FS, path, syscall.EIO); err != syscall.EIO {
		t.Error(err)
	}
}

func TestUnreadableFileIsTriedAgain(t *testing.T) {
	for name, op := range map[string]worldtest.Op{"open": worldtest.OpOpen, "read": worldtest.OpRead} {
		t.Run(name, func(t *testing.T) {
			onRig(t, func(t *testing.T, r *rig) {
				r.append(alerts, lines(0, 3))
				position := func() component.Position {
					r := newRig(t)
					r.append(alerts, lines(0, 3))
					r.must(r.once())
					return r.out.positions[0]
				}()
				r.files.Fault(func(o worldtest.Op, name string) error {
					if o == op && name == alerts {
						return syscall.EACCES
					}
					return nil
				})
				if op == worldtest.OpOpen {
					r.start(position)
				} else {
					r.start()
				}
				time.Sleep(time.Minute)
				r.want()
				if err := r.health.get(); !errors.Is(err, syscall.EACCES) {
					t.Errorf("health %v", err)
				}
				if n := strings.Count(r.log.String(), "trying again"); n != 1 {
					t.Errorf("said %d times:\n%s", n, r.log.String())
				}
				r.files.Fault(nil)
				time.Sleep(time.Second)
				if op == worldtest.OpOpen {
					r.want(line(1), line(2))
				} else {
					r.want(line(0), line(1), line(2))
				}
				if err := r.health.get(); err != nil {
					t.Errorf("health %v", err)
				}
				r.stop()
			})
		})
	}
}

func TestPollsWhereNothingNotifies(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.files.Blind(true)
		r.append(alerts, lines(0, 1))
		r.start()
		r.append(alerts, lines(1, 2))
		r.want(line(0))
		time.Sleep(r.source.poll)
		r.want(line(0), line(1))
		r.must(r.files.Rename(alerts, alerts+".1"))
		r.append(alerts, lines(2, 3))
		time.Sleep(r.source.poll)
		r.want(line(0), line(1), line(2))
		r.stop()
	})
}

func TestWithoutNotifier(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.host.Notifier = brokenNotifier{}
		r.start()
		r.append(alerts, lines(0, 1))
		time.Sleep(time.Second)
		r.want(line(0))
		r.stop()
	})
}

type brokenNotifier struct{ world.Notifier }

func (brokenNotifier) Watch(string) (<-chan string, func(), error) { return nil, nil, syscall.EMFILE }

func TestRate(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.source.rate = 10
		r.append(alerts, lines(0, 100))
		began := time.Now()
		r.must(r.once())
		if took := time.Since(began); took < 9800*time.Millisecond || took > 10*time.Second {
			t.Errorf("100 lines at 10/s took %v", took)
		}
		for i, p := range r.out.positions {
			if want := int64(len(lines(0, i+1))); p.Offset != want {
				t.Fatalf("line %d: position %d, want %d", i, p.Offset, want)
			}
		}
	})
}

func TestDecodeNamesTextByItsFirstLine(t *testing.T) {
	out := &collector{}
	s := sourceAt(alerts)
	for _, text := range []string{"{\"n\":0}\n{\"cut", "{\"n\":1}"} {
		if err := s.Decode([]byte(text), out); err != nil {
			t.Fatal(err)
		}
	}
	if len(out.ids) != 3 || out.ids[0] == out.ids[2] || out.failures[1] != "not_an_object" {
		t.Errorf("%q %q", out.ids, out.failures)
	}
}
