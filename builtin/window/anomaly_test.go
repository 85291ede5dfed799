package window

import (
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
)

const outage = `key = "{{ k }}"
  match = "{{ down }}"
  window = "1m"
  share { above = 0.2 }`

func TestShareOfTheFleet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "anomaly", outage)
		for n := range 20 {
			r.must(fmt.Sprintf(`{"k":"%03d","down":false}`, n))
		}
		for n := range 4 {
			r.must(fmt.Sprintf(`{"k":"%03d","down":true}`, n))
			r.must(fmt.Sprintf(`{"k":"%03d","down":true}`, n)) // the same again
		}
		if len(r.out) != 0 || r.drops["counted"] != 28 {
			t.Fatalf("%s, %v", r.taken(), r.drops)
		}
		r.pass(10 * time.Second)
		e := r.must(`{"k":"004","down":true}`)
		const want = `{"event_type":"anomaly","anomaly":"share","message":"5 of 20 (25 %) within 1m0s, more than 20 %","component":"transform.anomaly.x","window_seconds":60,"count":5,"fleet":20,"share":0.25,"above":0.2,"keys":["000","001","002","003","004"]}`
		if id := r.out[0].ID(); id != e.ID()+"/transform.anomaly.x#0" {
			t.Error(id)
		}
		if got := strings.Join(r.taken(), " "); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		r.must(`{"k":"005","down":true}`)
		if len(r.out) != 0 {
			t.Error("told twice")
		}
		r.pass(55 * time.Second) // 000 to 003 are older than the window
		r.must(`{"k":"006","down":true}`)
		for n := 7; n < 12; n++ {
			r.must(fmt.Sprintf(`{"k":"%03d","down":true}`, n))
		}
		if len(r.out) != 1 {
			t.Errorf("%d were told of the second outage", len(r.out))
		}
	})
}

// Any sequence: what is told is what a look at all events that ever came says.
func TestHistoryIsAsTheModel(t *testing.T) {
	type came struct {
		key string
		at  time.Time
	}
	told := 0
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 5))
			r := newRig(t, "anomaly", `key = "{{ k }}"
  window = "1m"
  history {
    deviations = 2
    windows = 5
    learn = 3
    at_least = 4
  }`)
			var all []came
			toldIn := map[string]bool{}
			for range 600 {
				key := string(rune('a' + rng.IntN(3)))
				now := time.Now()
				all = append(all, came{key, now})
				window := func(at time.Time) int64 { return at.Unix() / 60 }
				first, n := int64(0), 0
				counts := map[int64]int{}
				for _, c := range all {
					if c.key == key {
						if first == 0 {
							first = window(c.at)
						}
						counts[window(c.at)]++
					}
				}
				n = counts[window(now)]
				begin := max(first, window(now)-5)
				var sum, squares float64
				for w := begin; w < window(now); w++ {
					sum += float64(counts[w])
				}
				before := float64(window(now) - begin)
				mean := sum / before
				for w := begin; w < window(now); w++ {
					squares += math.Pow(float64(counts[w])-mean, 2)
				}
				limit := mean + 2*max(math.Sqrt(squares/before), math.Sqrt(mean), 1)
				id := fmt.Sprint(key, window(now))
				want := before >= 3 && n >= 4 && float64(n) > limit && !toldIn[id]
				toldIn[id] = toldIn[id] || want
				r.must(fmt.Sprintf(`{"k":%q}`, key))
				if got := len(r.out) == 1; got != want {
					t.Fatalf("seed %d: told is %v: %d events, limit %f of %f windows", seed, got, n, limit, before)
				}
				if want {
					told++
					if get(r.out[0], "anomaly").Text() != "history" || whole(get(r.out[0], "count")) != n || get(r.out[0], "key").Text() != key {
						t.Errorf("%s", r.taken())
					}
				}
				r.out = nil
				most := 20_000
				if rng.IntN(50) == 0 {
					most = 300_000
				} else if len(all)%200 > 150 {
					most = 2_000
				}
				r.pass(time.Duration(rng.IntN(most)) * time.Millisecond)
				if rng.IntN(40) == 0 {
					r.stage.Flush(r)
					r.start()
				}
			}
		})
	}
	if told < 20 {
		t.Errorf("only %d anomalies were looked at", told)
	}
}

func TestAnomalyRemembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "anomaly", outage)
		for n := range 20 {
			r.must(fmt.Sprintf(`{"k":"%03d","down":false}`, n))
		}
		r.pass(10 * time.Second) // stored by now, without a stop
		r.start()
		for n := range 5 {
			r.must(fmt.Sprintf(`{"k":"%03d","down":true}`, n))
		}
		if len(r.out) != 1 || whole(get(r.out[0], "fleet")) != 20 {
			t.Errorf("%s", r.taken())
		}

		r = newRig(t, "anomaly", "window = \"1m\"\n history { learn = 2 }")
		for range 3 {
			r.must(`{}`)
			r.pass(time.Minute)
		}
		r.stage.Flush(r)
		usual, _ := load(t, "anomaly", "window = \"1m\"\n history { learn = 3 }")
		other, _ := load(t, "anomaly", "window = \"2m\"\n history { learn = 2 }")
		for config, want := range map[component.StageTransform]int{usual: 1, other: 0} {
			r.config, r.out = config, nil
			r.start()
			for range 20 {
				r.must(`{}`)
			}
			if len(r.out) != want {
				t.Errorf("%d anomalies, want %d", len(r.out), want)
			}
		}
	})
}

func TestAnomalyWithoutState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "anomaly", outage)
		var log strings.Builder
		begin := func() {
			stage, err := r.config.Stage(&component.Host{World: r.world.World, State: r.state, Log: slog.New(slog.NewTextHandler(&log, nil))})
			if err != nil {
				t.Fatal(err)
			}
			r.stage, r.wake = stage, time.Time{}
		}
		healthy := r.state
		r.state = unwilling{healthy}
		begin()
		for range 3 {
			r.must(`{"k":"a","down":false}`)
			r.pass(time.Minute)
		}
		if strings.Count(log.String(), "no space left") != 1 {
			t.Errorf("the log says %s", log.String())
		}
		if err := healthy.Set(knowledgeKey, []byte("{")); err != nil {
			t.Fatal(err)
		}
		r.state = healthy
		begin()
		r.must(`{"k":"a","down":false}`)
		if !strings.Contains(log.String(), "learning begins anew") {
			t.Errorf("the log says %s", log.String())
		}
	})
}

func TestAnomalyForgetsTheOldestKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "anomaly", outage+"\n max_keys = 5\n history {}")
		for n := range 50 {
			r.must(fmt.Sprintf(`{"k":"%03d","down":true}`, n))
		}
		a := r.stage.(*anomaly)
		if a.fleet.members.len() != 5 || a.fleet.matched.len() != 5 || a.past.counts.len() != 5 || a.fleet.members.oldest().key != "045" {
			t.Errorf("%d, %d and %d keys are known", a.fleet.members.len(), a.fleet.matched.len(), a.past.counts.len())
		}
	})
}

func TestReplayedEventsAreNotCounted(t *testing.T) {
	r := newRig(t, "anomaly", `history {}`)
	r.stream = &event.Stream{Source: "source.test.in", Generation: "g", Replayed: true}
	r.must(`{}`)
	if r.stage.(*anomaly).past.counts.len() != 0 || r.drops["counted before"] != 1 {
		t.Errorf("it was counted: %v", r.drops)
	}
}

func TestAnomalyFailures(t *testing.T) {
	r := newRig(t, "anomaly", outage)
	for _, raw := range []string{`{"k":"a"}`, `{"k":"a","down":1}`, `{"k":`, `{"k":"` + strings.Repeat("x", 1025) + `","down":true}`} {
		if _, err := r.give(raw); err == nil {
			t.Errorf("%.40s is taken", raw)
		}
	}
	if len(r.drops) != 0 {
		t.Errorf("counted: %v", r.drops)
	}
}

func TestAnomalyRefuses(t *testing.T) {
	for attributes, message := range map[string]string{
		``:                             "nothing says what is unusual",
		`share { above = 0.2 }`:        "needs `key`",
		"key = \"{{ k }}\"\n share {}": "above",
		"key = \"{{ k }}\"\n share { above = 20 }": "from 0 to less than 1",
		"history {\n learn = 9\n windows = 5\n }":  "never looked at",
		"history { deviations = 0 }":               "more than 0",
		"window = \"10ms\"\n history {}":           "at least 1s",
		"histroy {}":                               "histroy",
	} {
		if _, list := load(t, "anomaly", attributes); len(list) == 0 || !strings.Contains(list[0].Message, message) {
			t.Errorf("%s: %v", attributes, list)
		}
	}
}

func BenchmarkAnomaly(b *testing.B) {
	r := newRig(b, "anomaly", "key = \"{{ agent.id }}\"\n share { above = 0.99 }\n history { at_least = 1000000000 }")
	e, _ := r.event(`{"agent":{"id":"003"},"rule":{"level":3}}`)
	b.ReportAllocs()
	for b.Loop() {
		if err := r.stage.Process(e, r); err != nil {
			b.Fatal(err)
		}
	}
}
