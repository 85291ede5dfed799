package file

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
)

// Files that are the same byte for byte are put aside one after the other: each is a generation of its own, with ids of
// its own, while etl is at work and where one comes while it is down.
func TestSameBytesAgain(t *testing.T) {
	for _, copied := range []bool{false, true} {
		for _, down := range []bool{false, true} {
			if copied && down { // that is a file to which nothing has happened, with a copy beside it
				continue
			}
			t.Run(fmt.Sprint(copied, down), func(t *testing.T) {
				onRig(t, func(t *testing.T, r *rig) {
					way := "rename"
					if copied {
						way = "copytruncate"
					}
					w := newWriter(t, r.files, alerts, way)
					var got, ids []string
					for round := range 7 {
						if round > 0 {
							w.rotate()
							time.Sleep(time.Second) // it is seen to be empty
						}
						r.append(alerts, lines(0, 50))
						if round == 0 {
							r.start()
						} else if down {
							r.start(r.out.last)
						}
						time.Sleep(time.Second)
						if down || round == 6 {
							r.stop()
							got, ids = r.out.got(), r.out.ids
							r.source = sourceAt(alerts)
						}
					}
					if len(got) != 350 {
						t.Errorf("%d of 350 lines came", len(got))
					}
					wantUnique(t, ids)
				})
			})
		}
	}
}

// A file that was put aside under a name that nobody can foretell is still written to, slowly, when etl starts, and when it goes
// on to the next one.
func TestPutAsideAndStillWritten(t *testing.T) {
	for _, known := range []bool{true, false} { // it was read before
		onRig(t, func(t *testing.T, r *rig) {
			r.append(alerts, lines(0, 3))
			r.start()
			r.finish()
			from, next := r.out.last, 3
			if !known {
				r.must(r.files.Rename(alerts, alerts+".before"))
				r.append(alerts, lines(3, 5))
				next = 5
			}
			r.must(r.files.Rename(alerts, alerts+".after"))
			r.append(alerts, "")
			r.source = sourceAt(alerts)
			r.start(from)
			for range 40 {
				r.append(alerts+".after", line(next)[:3])
				time.Sleep(100 * time.Millisecond)
				r.append(alerts+".after", line(next)[3:]+"\n")
				time.Sleep(200 * time.Millisecond)
				next++
			}
			r.append(alerts, lines(next, next+5))
			r.finish()
			wantNumbers(t, r.out.got(), 0, next+5)
			wantUnique(t, r.out.ids)
		})
	}
}

// Of several such files that come while etl is down, one can't be told from a copy of another: it is not read, and that is said.
func TestSameBytesWhileDown(t *testing.T) {
	for _, way := range []string{"rename", "copytruncate"} {
		onRig(t, func(t *testing.T, r *rig) {
			w := newWriter(t, r.files, alerts, way)
			r.append(alerts, lines(0, 50))
			r.start()
			r.finish()
			for range 2 {
				time.Sleep(time.Second)
				w.rotate()
				r.append(alerts, lines(0, 50))
			}
			r.source = sourceAt(alerts)
			if _, err := r.source.Resume(r.host, []component.Position{r.out.last}); err != nil {
				t.Fatal(err)
			}
			r.start(r.out.last)
			r.finish()
			if n := strings.Count(r.log.String(), "is taken for a copy of the first, and is not read"); n == 0 || len(r.out.got()) == 150 {
				t.Errorf("%s: %d lines, said %d times:\n%s", way, len(r.out.got()), n, r.log.String())
			}
		})
	}
}
