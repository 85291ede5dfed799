package window

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "batch", "key = \"{{ k }}\"\n max_events = 2")
		r.must(`{"k":"a","n":1}`)
		r.must(`{"k":"b","n":2}`)
		r.must(`{"k":"a","n":3}`)
		if len(r.out) != 1 || len(r.kept) != 1 {
			t.Fatalf("%d batches, %d kept", len(r.out), len(r.kept))
		}
		first := r.out[0].ID()
		r.pass(time.Second)
		want := []string{
			`{"event_type":"batch","batch_id":"` + strings.TrimSuffix(first, "/transform.batch.x") + `","key":"a","count":2,"events":[{"k":"a","n":1},{"k":"a","n":3}]}`,
			`{"event_type":"batch","batch_id":"` + get(r.out[1], "batch_id").Text() + `","key":"b","count":1,"events":[{"k":"b","n":2}]}`,
		}
		if got := r.taken(); !slices.Equal(got, want) || len(r.kept) != 0 {
			t.Errorf("got %q, %d kept", got, len(r.kept))
		}
		again := newRig(t, "batch", "key = \"{{ k }}\"\n max_events = 2") // the same members are the same batch
		again.must(`{"k":"a","n":1}`)
		again.must(`{"k":"b"}`)
		again.must(`{"k":"a","n":3}`)
		if id := again.out[0].ID(); id != first {
			t.Errorf("%s, and before %s", id, first)
		}
	})
}

// Any sequence: every member is in one batch, in order among those of its
// key, and no batch is more than it may be, nor later.
func TestBatchIsAsTheModel(t *testing.T) {
	for seed := range uint64(40) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 3))
			events, size, keys := 1+rng.IntN(6), 60+rng.IntN(200), 1+rng.IntN(4)
			r := newRig(t, "batch", fmt.Sprintf("key = \"{{ k }}\"\n max_events = %d\n max_bytes = \"%dB\"\n max_wait = \"5s\"\n max_keys = %d", events, size, keys))
			came := map[int]time.Time{}
			waiting := map[string][]int{} // the model: what is not delivered, by key
			look := func() {
				for i, e := range r.out {
					key := get(e, "key").Text()
					n, bytes := 0, 0
					for member := range get(e, "events").Elements() {
						number := whole(member.Get("n"))
						if len(waiting[key]) == 0 || waiting[key][0] != number {
							t.Fatalf("seed %d: %d of %s came, %v wait", seed, number, key, waiting[key])
						}
						if late := r.at[i].Sub(came[number]); late > 5*time.Second {
							t.Errorf("seed %d: a member waited %s", seed, late)
						}
						waiting[key] = waiting[key][1:]
						bytes += len(member.String())
						n++
					}
					if n > events || n > 1 && bytes > size || n != whole(get(e, "count")) {
						t.Errorf("seed %d: a batch of %d events and %d bytes", seed, n, bytes)
					}
				}
				r.out = nil
				open, left := 0, 0
				for _, list := range waiting {
					left += len(list)
					if len(list) > 0 {
						open++
					}
				}
				if open > keys || left != len(r.kept) {
					t.Errorf("seed %d: %d batches are open, %d events kept of %d", seed, open, len(r.kept), left)
				}
			}
			for n := range 300 {
				key := string(rune('a' + rng.IntN(5)))
				came[n] = time.Now()
				waiting[key] = append(waiting[key], n)
				r.must(fmt.Sprintf(`{"k":%q,"n":%d,"x":%q}`, key, n, strings.Repeat("x", rng.IntN(100))))
				look()
				if rng.IntN(4) == 0 {
					r.pass(time.Duration(rng.IntN(3000)) * time.Millisecond)
					look()
				}
			}
			r.stage.Flush(r)
			look()
			if len(r.kept) != 0 {
				t.Errorf("seed %d: %d are kept", seed, len(r.kept))
			}
		})
	}
}

func TestBatchRefuses(t *testing.T) {
	for attributes, message := range map[string]string{
		`max_events = 0`:   "at least 1",
		`max_bytes = "0B"`: "at least one byte",
		`max_bytes = 10`:   "no unit",
		`max_wait = "0s"`:  "longer than nothing",
		`max_event = 1`:    "max_event",
	} {
		if _, list := load(t, "batch", attributes); len(list) == 0 || !strings.Contains(list[0].Message, message) {
			t.Errorf("%s: %v", attributes, list)
		}
	}
}

func BenchmarkBatch(b *testing.B) {
	r := newRig(b, "batch", `key = "{{ agent.id }}"`)
	e, _ := r.event(`{"agent":{"id":"003"},"rule":{"level":3}}`)
	b.ReportAllocs()
	for b.Loop() {
		r.out = r.out[:0]
		if err := r.stage.Process(e, r); err != nil {
			b.Fatal(err)
		}
	}
}
