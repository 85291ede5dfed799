package window

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
)

// What goes through is what a list of all that ever went through says, also
// over restarts in between.
func TestDedupeIsAsTheModel(t *testing.T) {
	for seed := range uint64(30) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 2))
			r := newRig(t, "dedupe", `key = "{{ k }}"
  window = "1m"`)
			went := map[string]time.Time{}
			dropped := 0
			for range 300 {
				key := fmt.Sprint(rng.IntN(12))
				r.must(fmt.Sprintf(`{"k":%q}`, key))
				at, before := went[key]
				duplicate := before && time.Since(at) < time.Minute
				if got := len(r.taken()) == 0; got != duplicate {
					t.Fatalf("seed %d: dropped is %v", seed, got)
				}
				if duplicate {
					dropped++
				} else {
					went[key] = time.Now()
				}
				r.pass(time.Duration(rng.IntN(9000)) * time.Millisecond)
				if rng.IntN(30) == 0 {
					r.stage.Flush(r)
					r.start()
				}
			}
			if r.drops["duplicate"] != dropped {
				t.Errorf("seed %d: %d were counted, want %d", seed, r.drops["duplicate"], dropped)
			}
		})
	}
}

// Only what is settled is stored, and it is looked at again later.
func TestDedupeStoresWhatIsSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "dedupe", `key = "{{ k }}"`)
		open, lot := r.event(`{"k":"open"}`)
		open.HoldAll() // a sink has it
		if err := r.stage.Process(open, r); err != nil {
			t.Fatal(err)
		}
		lot.Processed()
		r.must(`{"k":"done"}`)
		r.pass(saveInterval)
		stored := func() int { v, _ := r.state.Get(stateKey); return len(v) / sightSize }
		if n := stored(); n != 1 {
			t.Fatalf("%d are stored, want the settled one", n)
		}
		open.ReleaseAll(ack.Accepted)
		r.pass(saveInterval)
		if n := stored(); n != 2 {
			t.Errorf("%d are stored, want both", n)
		}
		if !r.wake.IsZero() {
			t.Error("it is to be woken, with nothing to store")
		}
	})
}

func TestDedupeForgetsWhatAnotherKeyMeant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "dedupe", `key = "{{ a }}"`)
		r.must(`{"a":"x","b":"y"}`)
		r.stage.Flush(r)
		r.config, _ = load(t, "dedupe", `key = "{{ b }}"`)
		r.start()
		r.must(`{"a":"y","b":"x"}`)
		if len(r.out) != 2 {
			t.Error("an event was dropped for one with another key")
		}
	})
}

func TestDedupeForgetsTheOldestKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "dedupe", "key = \"{{ k }}\"\n max_keys = 3")
		for _, k := range strings.Split("a b c a d c a b", " ") { // d takes a's place, a b's, b c's
			r.must(fmt.Sprintf(`{"k":%q}`, k))
		}
		var got string
		for _, e := range r.out {
			got += get(e, "k").Text()
		}
		if got != "abcdab" {
			t.Errorf("got %s", got)
		}
	})
}

// unwilling is a state that stores nothing.
type unwilling struct{ component.State }

func (unwilling) Set(string, []byte) error { return errors.New("no space left") }

func TestDedupeWithoutState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "dedupe", `key = "{{ k }}"`)
		var log strings.Builder
		make := func() {
			stage, err := r.config.Stage(&component.Host{World: r.world.World, State: r.state, Log: slog.New(slog.NewTextHandler(&log, nil))})
			if err != nil {
				t.Fatal(err)
			}
			r.stage, r.wake = stage, time.Time{}
		}
		healthy := r.state
		r.state = unwilling{healthy}
		make()
		r.must(`{"k":"a"}`)
		r.pass(time.Minute)
		r.must(`{"k":"a"}`)
		if len(r.out) != 1 || strings.Count(log.String(), "no space left") != 1 || r.wake.IsZero() {
			t.Errorf("%d events; the log says %s", len(r.out), log.String())
		}
		if err := healthy.Set(stateKey, []byte("abc")); err != nil {
			t.Fatal(err)
		}
		r.state = healthy
		make()
		r.must(`{"k":"a"}`)
		if len(r.out) != 2 || !strings.Contains(log.String(), "damaged") {
			t.Errorf("%d events; the log says %s", len(r.out), log.String())
		}
	})
}

func TestDedupeClockPutBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "dedupe", `key = "{{ k }}"`)
		r.must(`{"k":"a"}`)
		back := time.Duration(0)
		r.world.Now = func() time.Time { return time.Now().Add(-back) }
		r.stage.Flush(r)
		r.start()
		back = time.Hour
		r.must(`{"k":"a"}`)
		r.must(`{"k":"a"}`)
		if len(r.out) != 2 {
			t.Errorf("%d events, want 2", len(r.out))
		}
	})
}

func TestDedupeWithoutAKey(t *testing.T) {
	r := newRig(t, "dedupe", `key = "{{ k }}"`)
	if _, err := r.give(`{}`); err == nil {
		t.Error("an event without a key is taken")
	}
}

func TestDedupeRefuses(t *testing.T) {
	for attributes, message := range map[string]string{
		``:                                    "key",
		`key = "always"`:                      "every event has the key always",
		"key = \"{{ k }}\"\n window = \"0s\"": "longer than nothing",
		"key = \"{{ k }}\"\n max_keys = 0":    "at least 1",
	} {
		if _, list := load(t, "dedupe", attributes); len(list) == 0 || !strings.Contains(list[0].Message, message) {
			t.Errorf("%s: %v", attributes, list)
		}
	}
}

func BenchmarkDedupe(b *testing.B) {
	r := newRig(b, "dedupe", `key = "{{ agent.id }}/{{ rule.id }}"`)
	b.Run("duplicate", func(b *testing.B) {
		e, _ := r.event(`{"agent":{"id":"003"},"rule":{"id":"5710"}}`)
		b.ReportAllocs()
		for b.Loop() {
			if err := r.stage.Process(e, r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("new", func(b *testing.B) {
		first, _ := r.event(`{"agent":{"id":"003"},"rule":{"id":"5710"}}`)
		n := int64(0)
		b.ReportAllocs()
		for b.Loop() {
			n++
			r.out = r.out[:0]
			e := first.Derive("x", -1, document.NewObject([]document.Member{
				{Name: "agent", Value: document.NewObject([]document.Member{{Name: "id", Value: document.NewInt(n)}})},
				{Name: "rule", Value: document.NewObject([]document.Member{{Name: "id", Value: document.NewInt(n)}})},
			}))
			if err := r.stage.Process(e, r); err != nil {
				b.Fatal(err)
			}
		}
	})
}
