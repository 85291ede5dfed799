//go:build failpoints

package failpoint

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
)

var point = New("test")

func TestFail(t *testing.T) {
	p := Point{&place{plan: mustParse("other:1,x:2:ENOSPC:3")["x"]}}
	for i, want := range []error{nil, syscall.ENOSPC, syscall.ENOSPC, syscall.ENOSPC, nil} {
		if err := p.Fail(); !errors.Is(err, want) {
			t.Errorf("passage %d: %v, want %v", i+1, err, want)
		}
	}
	if !slices.Contains(Names(), "test") {
		t.Errorf("names %v", Names())
	}
}

func TestKill(t *testing.T) {
	if os.Getenv("ETL_FAILPOINT") != "" {
		point.Pass()
		point.Pass()
		os.Exit(3)
	}
	c := exec.Command(os.Args[0], "-test.run=^TestKill$")
	c.Env = append(os.Environ(), "ETL_FAILPOINT=test:2")
	_ = c.Run()
	if s := c.ProcessState.Sys().(syscall.WaitStatus); !s.Signaled() || s.Signal() != syscall.SIGKILL {
		t.Errorf("ended with %v", c.ProcessState)
	}
}

func TestWrongVariable(t *testing.T) {
	for _, text := range []string{"a:x", "a:1:EWHAT", "a:1:EIO:2:3"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was taken", text)
				}
			}()
			mustParse(text)
		}()
	}
}
