package graph

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// backoff is the pause between tries of a target that fails, and the circuit
// breaker: after breakAfter failures in a row the circuit is open, and a try is
// one message. It never fails an event; the others wait.
type backoff struct {
	plan.Retry
	failures int // in a row
}

const breakAfter = 3

func (b *backoff) broken() bool { return b.failures >= breakAfter }

// pause is how long to wait before the next try: longer after each failure,
// with jitter, and not before the target said.
func (b *backoff) pause(err error) time.Duration {
	pause := b.Min
	for range b.failures - 1 {
		if pause >= b.Max/2 {
			pause = b.Max
			break
		}
		pause *= 2
	}
	pause = min(pause, b.Max)
	pause = pause/2 + rand.N(pause/2+1)
	if after := component.RetryAfterOf(err); after > pause {
		return after + rand.N(after/10+1) // others were told the same
	}
	return pause
}

// wait says that the target fails, and waits.
func (b *backoff) wait(ctx context.Context, r *runner, err error) {
	b.failures++
	pause := b.pause(err)
	r.g.tellHealth(r.step.node, r.stats, err)
	r.stats.setRetry(r.g.options.World.Now().Add(pause), b.broken())
	r.stats.retries.Add(1)
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// reset says that the target has answered.
func (b *backoff) reset(r *runner) {
	if b.failures > 0 {
		r.g.tellHealth(r.step.node, r.stats, nil)
		r.stats.setRetry(time.Time{}, false)
		b.failures = 0
	}
}
