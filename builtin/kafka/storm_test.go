package kafka

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/wazuh-etl/etl/runtime/component"
)

// TestStorm delivers while the broker refuses requests at random, for its own
// reasons and for those of single records: whatever it takes is there once, in
// the order of its key, and only the bad records are refused.
func TestStorm(t *testing.T) {
	virtual(t, func(t *testing.T, c *virtualCluster) {
		var mu sync.Mutex
		seed := rand.Uint64()
		t.Log("seed", seed)
		dice := rand.New(rand.NewPCG(seed, 1))
		reasons := []*kerr.Error{kerr.TopicAuthorizationFailed, kerr.NotEnoughReplicas, kerr.CorruptMessage, kerr.NotLeaderForPartition, kerr.UnknownServerError}
		c.ControlKey(0, func(r kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			mu.Lock()
			defer mu.Unlock()
			request := r.(*kmsg.ProduceRequest)
			switch {
			case holds(request, `"bad`):
				return refusedAll(request, kerr.InvalidRecord), nil, true
			case dice.IntN(10) == 0:
				return refusedAll(request, reasons[dice.IntN(len(reasons))]), nil, true
			default:
				return nil, nil, false
			}
		})

		r := c.rig(t, map[string]any{"topic": text("storm"), "key": field("key")}).open()
		const total = 2000
		var good int
		load := rand.New(rand.NewPCG(seed, 2))
		var all []*component.Message
		for i := range total {
			name := fmt.Sprintf("%d", i)
			if i%500 == 499 {
				name = "bad" + name
			} else {
				good++
			}
			all = append(all, r.message(fmt.Sprintf(`{"n":"%s","key":"k%d"}`, name, i%7)))
		}
		for len(all) > 0 {
			n := min(len(all), 1+load.IntN(200))
			_ = r.sink.Deliver(t.Context(), all[:n])
			all = all[n:]
			if load.IntN(3) == 0 {
				r.waitAnswers(total - len(all) - n)
			}
		}
		r.waitAnswers(total)
		if got := r.count(); got["done"] != good || got["failed invalid_record"] != total-good {
			t.Errorf("answers %v", got)
		}

		last := make(map[string]int)
		records := c.consume(t, good, "storm")
		for _, record := range records {
			var i int
			key := string(record.Key)
			if _, err := fmt.Sscanf(strings.TrimPrefix(string(record.Value), `{"n":"`), "%d", &i); err != nil {
				t.Fatalf("%s: %v", record.Value, err)
			}
			if before, ok := last[key]; ok && i <= before {
				t.Fatalf("%d comes after %d", i, before)
			}
			last[key] = i
		}
		if len(records) != good {
			t.Errorf("%d records, want %d", len(records), good)
		}
	}, kfake.SeedTopics(3, "storm"))
}
