//go:build failpoints

package failpoint

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// Point is a place in the code.
type Point struct{ *place }

type place struct {
	mu     sync.Mutex
	passed int64
	plan   *trouble // nil: nothing happens
}

// trouble is what happens at some passages.
type trouble struct {
	first, last int64
	err         error // nil: the process is killed
}

var (
	places   = map[string]*place{}
	troubles = mustParse(os.Getenv("ETL_FAILPOINT"))
)

// New names a place. The name must be the only one of its kind in the program.
func New(name string) Point {
	if places[name] != nil || strings.ContainsAny(name, ":,") {
		panic("failpoint " + name + " is there twice, or can't be written in ETL_FAILPOINT")
	}
	places[name] = &place{plan: troubles[name]}
	return Point{places[name]}
}

// Names are all points of the program, sorted.
func Names() []string { return slices.Sorted(maps.Keys(places)) }

// Pass is called where the process may be killed.
func (p Point) Pass() { _ = p.Fail() }

// Fail is called before an operation that may fail: with its error. The process may be killed there as well.
func (p Point) Fail() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.passed++
	if p.plan == nil || p.passed < p.plan.first || p.passed > p.plan.last {
		return nil
	}
	if p.plan.err == nil {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal is on its way
	}
	return p.plan.err
}

var errs = map[string]error{"EIO": syscall.EIO, "ENOSPC": syscall.ENOSPC, "EROFS": syscall.EROFS}

// mustParse reads ETL_FAILPOINT; who writes it wrong gets to know.
func mustParse(text string) map[string]*trouble {
	all := map[string]*trouble{}
	for one := range strings.SplitSeq(text, ",") {
		if one == "" {
			continue
		}
		fields := strings.Split(one, ":")
		name, fields := fields[0], fields[1:]
		t := &trouble{first: 1}
		times := int64(1)
		var err error
		for i, f := range fields {
			switch i {
			case 0:
				t.first, err = strconv.ParseInt(f, 10, 64)
			case 1:
				if t.err = errs[f]; t.err == nil && f != "kill" {
					err = fmt.Errorf("%s is no error that is known", f)
				}
			case 2:
				times, err = strconv.ParseInt(f, 10, 64)
			default:
				err = fmt.Errorf("there is too much")
			}
			if err != nil {
				panic(fmt.Sprintf("reading ETL_FAILPOINT %q: %v", one, err))
			}
		}
		t.last = t.first + times - 1
		all[name] = t
	}
	return all
}
