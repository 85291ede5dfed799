package file

import (
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// What a source keeps of rotated files is bounded, whatever the rotation calls them: it runs for years. The first
// look is behind as many as its history has.
func TestRotationsHoldNoMore(t *testing.T) {
	for name, aside := range map[string]func(r *rig, n int){
		"renamed over the last": func(r *rig, n int) { r.must(r.files.Rename(alerts, alerts+".1")) },
		"counts on, old ones removed": func(r *rig, n int) {
			r.must(r.files.Rename(alerts, fmt.Sprintf("%s.%d", alerts, n)))
			if n > 5 {
				r.must(r.files.Remove(fmt.Sprintf("%s.%d", alerts, n-5)))
			}
		},
		"another in its place": func(r *rig, n int) {
			r.append(alerts+".new", "")
			r.must(r.files.Rename(alerts+".new", alerts))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.host.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
				r.start()
				var heap [2]uint64
				var state [2]int
				const rounds = 500
				for n := 1; n <= rounds; n++ {
					r.append(alerts, line(n)+"\n")
					time.Sleep(time.Second)
					r.want(line(n))
					r.out.forget()
					aside(r, n)
					if n == rounds/4 || n == rounds {
						synctest.Wait()
						heap[n/rounds], state[n/rounds] = liveHeap(), r.stored()
					}
				}
				r.stop()
				if state[1] > state[0]+state[0]/50 {
					t.Errorf("the state has grown from %d to %d bytes", state[0], state[1])
				}
				if heap[1] > heap[0]+10<<10 {
					t.Errorf("the heap has grown from %d to %d bytes", heap[0], heap[1])
				}
			})
		})
	}
}

func liveHeap() uint64 {
	var m runtime.MemStats
	for range 3 { // what pools keep goes with the second
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// stored is how many bytes the component's state has.
func (r *rig) stored() (n int) {
	for _, key := range r.host.State.Keys() {
		value, _ := r.host.State.Get(key)
		n += len(value)
	}
	return n
}

func (c *collector) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines, c.ids, c.failures, c.positions = c.lines[:0], c.ids[:0], c.failures[:0], c.positions[:0]
}
