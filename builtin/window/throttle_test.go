package window

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/runtime/event"
)

func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "throttle", `key = "{{ k }}"
  rate = "1/s"
  burst = 2`)
		begin := time.Now()
		for n := range 10 {
			r.must(fmt.Sprintf(`{"k":"a","n":%d}`, n))
			r.pass(100 * time.Millisecond)
		}
		r.must(`{"k":"b"}`)
		if got := strings.Join(r.taken(), " "); got != `{"k":"a","n":0} {"k":"a","n":1} {"k":"b"}` || r.drops["suppressed"] != 8 {
			t.Errorf("got %s, %v", got, r.drops)
		}
		r.pass(9800 * time.Millisecond)
		if len(r.out) != 0 {
			t.Error("told too early")
		}
		r.pass(200 * time.Millisecond)
		if len(r.out) != 1 || len(r.kept) != 0 {
			t.Fatalf("%d events, %d kept", len(r.out), len(r.kept))
		}
		e := r.out[0]
		if e.ID() != "g@3/transform.throttle.x" {
			t.Error(e.ID())
		}
		at := func(d time.Duration) string { return begin.Add(d).UTC().Format(time.RFC3339Nano) }
		want := fmt.Sprintf(`{"event_type":"suppressed","message":"8 events of \"a\" suppressed within 700ms","component":"transform.throttle.x","key":"a","suppressed":8,"first":%q,"last":%q,"example":{"k":"a","n":2},"latest":{"k":"a","n":9}}`,
			at(200*time.Millisecond), at(900*time.Millisecond))
		if got := string(e.AppendJSON(nil)); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

// What is told of a burst late is no news where an event has gone through since.
func TestThrottleLatestIsTheLatest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "throttle", `rate = "1/s"`)
		for n := range 3 { // 0 passes
			r.must(fmt.Sprintf(`{"n":%d}`, n))
		}
		r.pass(time.Second)
		r.must(`{"n":3}`)
		r.out = nil
		r.pass(10 * time.Second)
		if len(r.out) != 1 || whole(get(r.out[0], "suppressed")) != 2 || whole(get(r.out[0], "example").Get("n")) != 1 || !get(r.out[0], "latest").IsNil() || len(r.kept) != 0 {
			t.Errorf("%s, %d kept", r.taken(), len(r.kept))
		}
	})
}

// model is a throttle as one would write it down: every bucket is recomputed
// from all that has ever come.
type model struct {
	rate, burst float64
	tokens      map[string]float64
	at          map[string]time.Time
}

func (m *model) passes(key string, now time.Time) bool {
	tokens, known := m.tokens[key]
	if !known {
		tokens = m.burst
	} else {
		tokens = math.Min(m.burst, tokens+now.Sub(m.at[key]).Seconds()*m.rate)
	}
	m.at[key] = now
	passes := tokens >= 1
	if passes {
		tokens--
	}
	m.tokens[key] = tokens
	return passes
}

// Any sequence: what goes through is what the model says, and each of the
// others is in exactly one event, of its key.
func TestThrottleIsAsTheModel(t *testing.T) {
	for seed := range uint64(30) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			r := newRig(t, "throttle", `key = "{{ k }}"
  rate = "30/m"
  burst = 3
  quiet = "7s"
  tell_after = "20s"`)
			m := model{rate: 0.5, burst: 3, tokens: map[string]float64{}, at: map[string]time.Time{}}
			want, got := map[string]int{}, map[string]int{}
			count := func() {
				for _, e := range r.out {
					if get(e, "event_type").Text() != "suppressed" {
						t.Fatal("an event more")
					}
					first, err := time.Parse(time.RFC3339, get(e, "first").Text())
					last, err2 := time.Parse(time.RFC3339, get(e, "last").Text())
					span := last.Sub(first)
					if err != nil || err2 != nil || span < 0 || span > 20*time.Second {
						t.Errorf("told of %s", span)
					}
					got[get(e, "key").Text()] += whole(get(e, "suppressed"))
				}
				r.out = nil
			}
			for range 400 {
				key := string(rune('a' + rng.IntN(4)))
				e := r.must(fmt.Sprintf(`{"k":%q}`, key))
				passed := len(r.out) > 0 && r.out[len(r.out)-1] == e
				if passed {
					r.out = r.out[:len(r.out)-1]
				} else {
					want[key]++
				}
				if passed != m.passes(key, time.Now()) {
					t.Fatalf("seed %d: passed is %v", seed, passed)
				}
				count()
				if rng.IntN(20) == 0 {
					r.pass(time.Duration(rng.IntN(30_000)) * time.Millisecond)
				} else {
					r.pass(time.Duration(rng.IntN(1000)) * time.Millisecond)
				}
				count()
			}
			r.stage.Flush(r)
			count()
			if !maps.Equal(got, want) || len(r.kept) != 0 {
				t.Errorf("seed %d: told of %v, want %v; %d kept", seed, got, want, len(r.kept))
			}
		})
	}
}

func TestThrottleTellsAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "throttle", `rate = "1/m"`)
		for range 5 {
			r.must(`{}`)
		}
		r.taken()
		r.stage.Flush(r)
		if len(r.out) != 1 || whole(get(r.out[0], "suppressed")) != 4 || get(r.out[0], "key").Text() != "" || len(r.kept) != 0 {
			t.Errorf("%s, %d kept", r.taken(), len(r.kept))
		}
		r.stage.Flush(r)
		if len(r.out) != 1 {
			t.Error("told twice")
		}
	})
}

func TestThrottleForgetsTheOldestKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "throttle", `key = "{{ k }}"
  rate = "1/m"
  max_keys = 2`)
		for _, k := range []string{"a", "a", "b", "a", "c", "c", "d", "b"} { // b is the oldest when c comes, a when d does, c when b comes again
			r.must(fmt.Sprintf(`{"k":%q}`, k))
		}
		var told []string
		for _, e := range r.out {
			if n := get(e, "suppressed"); !n.IsNil() {
				told = append(told, fmt.Sprint(get(e, "key").Text(), whole(n)))
			} else {
				told = append(told, get(e, "k").Text())
			}
		}
		if got := strings.Join(told, " "); got != "a b c a2 d c1 b" {
			t.Errorf("got %s", got)
		}
	})
}

func TestReplayedEventsPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for kind, attributes := range map[string]string{"throttle": `rate = "1/m"`, "dedupe": `key = "{{ k }}"`} {
			r := newRig(t, kind, attributes)
			r.must(`{"k":"a"}`)
			r.stream = &event.Stream{Source: "source.test.in", Generation: "g", Replayed: true}
			r.must(`{"k":"a"}`)
			if len(r.out) != 2 {
				t.Errorf("%s: %d events", kind, len(r.out))
			}
		}
	})
}

func TestKeysAreBounded(t *testing.T) {
	for kind, attributes := range map[string]string{"throttle": "rate = \"1/m\"", "batch": ""} {
		r := newRig(t, kind, "key = \"{{ k }}\"\n "+attributes)
		if _, err := r.give(`{"k":`); err == nil {
			t.Errorf("%s: what is no JSON is taken", kind)
		}
		if _, err := r.give(`{"k":"` + strings.Repeat("x", 1025) + `"}`); err == nil {
			t.Errorf("%s: a key of 1025 bytes is taken", kind)
		}
	}
}

func TestThrottleRefuses(t *testing.T) {
	for attributes, message := range map[string]string{
		``:                                    "rate",
		`rate = "0/s"`:                        "nothing would ever go through",
		"rate = \"1/s\"\n burst = 0":          "nothing would ever go through",
		"rate = \"1/s\"\n quiet = \"0s\"":     "longer than nothing",
		"rate = \"1/s\"\n max_keys = 0":       "at least 1",
		"rate = \"1/s\"\n tell_afer = \"1m\"": "tell_afer",
		"rate = 10":                           "no unit",
	} {
		_, list := load(t, "throttle", attributes)
		if len(list) == 0 || !strings.Contains(list[0].Message, message) {
			t.Errorf("%s: %v", attributes, list)
		}
	}
}

func BenchmarkThrottle(b *testing.B) {
	for name, rate := range map[string]string{"passes": "1000000000/s", "suppresses": "1/h"} {
		b.Run(name, func(b *testing.B) {
			r := newRig(b, "throttle", "key = \"{{ agent.id }}\"\n rate = \""+rate+"\"")
			e, _ := r.event(`{"agent":{"id":"003"},"rule":{"level":3}}`)
			b.ReportAllocs()
			for b.Loop() {
				r.out = r.out[:0]
				if err := r.stage.Process(e, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
