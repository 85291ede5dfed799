package file

import (
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
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t)
					r.source.wazuh = way == "wazuh"
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
						if len(got) > 0 {
							keep := random.IntN(len(got))
							checkpoint = []component.Position{r.out.positions[keep]}
							done += keep + 1
						}
						w.write(random.IntN(10), random)
						if checkpoint != nil && random.IntN(3) == 0 {
							w.rotate()
						}
					}
					r.out = &collector{}
					r.start(checkpoint...)
					time.Sleep(time.Second)
					r.stop()
					wantNumbers(t, r.out.got(), done, w.next)
					w.check(w.file.Close())
				})
			})
		}
	}
}
