package file

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
)

// Killed again and again at any moment, with a checkpoint behind any line that
// was handed over, while lines come and the file rotates, running or not: each run goes on
// behind its checkpoint, and nothing is missing when all is read.
func TestKilledAgainAndAgain(t *testing.T) {
	for _, way := range ways {
		for seed := range uint64(30) {
			t.Run(fmt.Sprintf("%s/%d", way, seed), func(t *testing.T) {
				onRig(t, func(t *testing.T, r *rig) {
					r.source.profile = profileOf(way)
					random := rand.New(rand.NewPCG(seed, 4))
					w := newWriter(t, r.files, alerts, way)
					w.write(1, random)
					var checkpoint []component.Position
					ids := map[string]string{}
					done := 0 // lines before the checkpoint
					for range 12 {
						r.out = &collector{hold: make(chan struct{}, 100)}
						for range random.IntN(6) { // then it is held up
							r.out.hold <- struct{}{}
						}
						r.start(checkpoint...)
						for range random.IntN(4) {
							w.write(random.IntN(20), random)
							if random.IntN(3) == 0 {
								time.Sleep(time.Duration(random.IntN(600)) * time.Millisecond)
							}
							if random.IntN(4) == 0 {
								synctest.Wait() // that the file had begun was seen, by a reader that is not held up
								if way != "copytruncate" || len(r.out.hold) > 0 {
									w.rotate()
									synctest.Wait()
								}
							}
						}
						synctest.Wait()
						r.stop()
						got := r.out.got()
						wantNumbers(t, got, done, done+len(got))
						for i, l := range got {
							if old, ok := ids[l]; ok && old != r.out.ids[i] {
								t.Fatalf("%s has now the id %s, had %s", l, r.out.ids[i], old)
							}
							ids[l] = r.out.ids[i]
						}
						switch {
						case len(got) == 0 && random.IntN(2) == 0: // none was made
						case len(got) == 0:
							checkpoint = []component.Position{r.out.last}
						default:
							keep := random.IntN(len(got))
							checkpoint = []component.Position{r.out.positions[keep]}
							done += keep + 1
						}
						w.write(random.IntN(10), random)
						if random.IntN(3) == 0 {
							w.rotate()
						}
					}
					r.out = &collector{}
					r.start(checkpoint...)
					r.finish()
					wantNumbers(t, r.out.got(), done, w.next)
				})
			})
		}
	}
}

// The first lot says in which generation reading goes on, also where there is
// nothing more to read in it: who skips what a sink has already must not wait for it.
func TestFirstLotNamesTheGenerationOfThePosition(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.append(alerts, lines(0, 3))
		r.must(r.once())
		end := r.out.last
		r.must(r.files.Rename(alerts, alerts+".1"))
		r.append(alerts, lines(3, 5))
		var generations []string
		r.source.Finite()
		r.must(r.source.Run(t.Context(), r.host, []component.Position{end}, emit(func(lot *component.Lot) {
			generations = append(generations, fmt.Sprint(lot.Stream.Generation == end.Generation, len(lot.Lines), lot.Position.Offset))
		})))
		if got := fmt.Sprint(generations); got != "[true 0 24 false 2 16]" {
			t.Errorf("lots %s", got)
		}
	})
}

// emit is an output made of a function.
type emit func(*component.Lot)

func (e emit) Emit(_ context.Context, lot *component.Lot) error {
	e(lot)
	return nil
}

// Killed before the first checkpoint, and the file has rotated by the next start.
func TestKilledBeforeTheFirstCheckpoint(t *testing.T) {
	for name, c := range map[string]struct {
		there string
		atEnd bool
		want  int
	}{"file with lines": {lines(0, 3), false, 0}, "empty file": {"", false, 0}, "at the end": {lines(0, 2), true, 2}, "file that came later": {"none", true, 0}} {
		t.Run(name, func(t *testing.T) {
			onRig(t, func(t *testing.T, r *rig) {
				r.source.atEnd = c.atEnd
				written := 0
				if c.there != "none" {
					r.append(alerts, c.there)
					written = len(c.there) / len(lines(0, 1))
				}
				r.start()
				if c.there == "none" {
					r.append(alerts, "")
				}
				r.finish()
				r.out = &collector{}
				r.append(alerts, lines(written, 5))
				r.must(r.files.Rename(alerts, alerts+".1"))
				r.append(alerts, lines(5, 7))
				r.start()
				r.finish()
				wantNumbers(t, r.out.got(), c.want, 7)
				position := r.out.positions[1]

				r.out = &collector{} // a checkpoint counts more
				r.start(position)
				r.finish()
				wantNumbers(t, r.out.got(), c.want+2, 7)
				if _, ok := r.host.State.Get(beganKey); ok {
					t.Error("the place where the first run began is kept beside the checkpoint")
				}
			})
		})
	}
}
