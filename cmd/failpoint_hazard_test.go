//go:build failpoints

package cmd

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// What a disk does to a running process, where it can't be mounted for it: said
// once, nothing ends, nothing is lost, and it goes on when the disk does.
func TestFailpointHazards(t *testing.T) {
	for _, c := range []struct{ name, failpoints, says, then string }{
		{"read-only", "state.write:5:EROFS:5", "checkpoints can't be stored", "checkpoints are stored again"},
		{"full", "state.write:5:ENOSPC:5", "checkpoints can't be stored", "checkpoints are stored again"},
		{"sync of checkpoints", "state.sync:5:EIO:3", "checkpoints can't be stored", "checkpoints are stored again"},
		{"sync of the output", "file.sync:3:EIO:3", "syncing ", "was set aside"},
		{"write of the output", "file.write:3:ENOSPC:3", "no space left on device", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPatient(t)
			p.feed(10, false)
			p.environment = []string{"ETL_FAILPOINT=" + c.failpoints}
			p.start()
			for range 30 {
				p.feed(10, false)
				p.until("what was fed is delivered", func() bool { return p.lastDelivered() == p.written-1 })
			}
			p.says(c.says)
			p.says(c.then)
			p.checkpointed()
			p.stop()
			if n := strings.Count(p.said(), "checkpoints can't be stored"); n > 1 {
				t.Errorf("said %d times", n)
			}
			before := p.delivered()
			p.environment = nil
			p.start("--once")
			p.ends(exitDone)
			if after := p.delivered(); after != before {
				t.Errorf("%d lines came again", after-before)
			}
		})
	}
}

// lastDelivered is the last number of the output, -1 if there is none.
func (p *patient) lastDelivered() int {
	text, _ := os.ReadFile(p.out)
	lines := strings.Fields(string(text))
	if len(lines) == 0 {
		return -1
	}
	n, err := strconv.Atoi(lines[len(lines)-1])
	if err != nil {
		p.Fatal(err)
	}
	return n
}
