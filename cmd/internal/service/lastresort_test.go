package service

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestLastResort(t *testing.T) {
	for name, c := range map[string]struct {
		signals int
		hanging []string
		ends    bool // within the second
		want    string
	}{
		"one signal":        {signals: 1, hanging: []string{"sink.file.a"}},
		"it stops at once":  {signals: 2, hanging: []string{"sink.file.a"}, ends: true},
		"two hang":          {2, []string{"sink.file.a", "source.file.b"}, false, "etl: sink.file.a, source.file.b did not stop within 1s and is left: what was on its way comes again with the next start\n"},
		"nobody is at work": {2, nil, false, "etl: something did not stop within 1s and is left: what was on its way comes again with the next start\n"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out strings.Builder
				codes := 0
				l := lastResort{out: &out, hanging: func() []string { return c.hanging }, exit: func(code int) { codes += code }}
				signals, over := make(chan os.Signal, 2), make(chan struct{})
				go l.wait(signals, over)
				for range c.signals {
					signals <- syscall.SIGTERM
				}
				time.Sleep(atOnce / 2)
				if c.ends {
					close(over)
				}
				time.Sleep(atOnce)
				synctest.Wait()
				if !c.ends {
					defer close(over)
				}
				if out.String() != c.want || codes != min(1, len(c.want)) {
					t.Errorf("got %q and %d, want %q", out.String(), codes, c.want)
				}
			})
		})
	}
}
