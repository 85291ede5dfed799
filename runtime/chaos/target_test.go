package chaos

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/plan"
)

type planT = plan.Plan

// mood is how a target answers.
type mood int

const (
	well   mood = iota
	refuse      // no connection
	hang        // takes some and says nothing
	slow        // each batch takes its time
	cut         // takes some, answers fewer, and breaks the connection
)

// target is what a sink delivers to: durable, and beyond every crash. What it
// has taken it has, whoever was told.
type target struct {
	name   string
	poison func(n int) bool

	mu      sync.Mutex
	rng     *rand.Rand
	mood    mood
	changed chan struct{}
	taken   []taken
	refused map[int]int
}

// taken is one message that a target took.
type taken struct {
	n        int
	id, text string
	answered bool
	at       time.Time
}

func newTarget(name string, seed uint64) *target {
	return &target{name: name, poison: func(int) bool { return false }, rng: rand.New(rand.NewPCG(seed, 7)), changed: make(chan struct{}), refused: map[int]int{}}
}

func (t *target) set(m mood) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mood = m
	close(t.changed)
	t.changed = make(chan struct{})
}

// connection is the sink "target".
type connection struct {
	target   *target
	batch    int
	inFlight int
	p        *process
	late     sync.WaitGroup
}

func (c *connection) Encode(*component.Message) error { return nil }

func (c *connection) Open(_ context.Context, host *component.Host) error {
	c.p = host.FS.(*process)
	return nil
}

func (c *connection) Close() error {
	c.late.Wait()
	return nil
}

func (c *connection) Limits() (messages int, bytes int64, inFlight int) {
	return c.batch, 1 << 20, c.inFlight
}

var (
	errRefused = errors.New("connection refused")
	errCut     = errors.New("connection reset")
)

func (c *connection) Deliver(ctx context.Context, messages []*component.Message) error {
	t := c.target
	for {
		t.mu.Lock()
		m, changed := t.mood, t.changed
		limit, pause := len(messages), time.Duration(t.rng.IntN(3000))*time.Microsecond
		switch m {
		case hang, cut:
			limit = t.rng.IntN(len(messages) + 1)
		case slow:
			pause = time.Duration(1+t.rng.IntN(150)) * time.Millisecond
		}
		if c.inFlight > 0 {
			pause = time.Duration(t.rng.IntN(40)) * time.Millisecond
		}
		answers := t.rng.IntN(limit + 1)
		t.mu.Unlock()
		switch m {
		case refuse:
			return errRefused
		case hang:
			c.take(messages[:limit])
			select {
			case <-changed:
				return errCut
			case <-ctx.Done():
				return ctx.Err()
			}
		case cut:
			got := c.take(messages[:limit])
			c.answer(messages, got[:min(answers, len(got))])
			return errCut
		}
		if c.inFlight > 0 {
			got := c.take(messages)
			c.late.Go(func() {
				answered := 0
				select {
				case <-time.After(pause):
					answered = c.answer(messages, got)
				case <-ctx.Done():
				}
				for _, m := range messages[answered:] {
					m.Return()
				}
			})
			return nil
		}
		if pause > 0 {
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return ctx.Err()
			}
			if t.is(refuse) || t.is(hang) {
				continue // it began while this batch was on its way
			}
		}
		got := c.take(messages)
		c.answer(messages, got)
		if len(got) < len(messages) {
			return errCut
		}
		return nil
	}
}

func (t *target) is(m mood) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.mood == m
}

// take makes the target have the messages, in order; it returns where they
// are, -1 for those that it refuses for themselves. The process may die on the way.
func (c *connection) take(messages []*component.Message) (got []int) {
	t := c.target
	for _, m := range messages {
		part, dead := c.p.at(opTake)
		n := number(m.Event)
		t.mu.Lock()
		if !dead || part == 1 {
			if t.poison(n) {
				got = append(got, -1)
				t.refused[n]++
			} else {
				got = append(got, len(t.taken))
				t.taken = append(t.taken, taken{n: n, id: m.Event.Origin().ID(), text: string(m.Payload), at: time.Now()})
			}
		}
		t.mu.Unlock()
		if dead {
			return got
		}
	}
	return got
}

// answer answers what got says was taken, and returns how many of it.
func (c *connection) answer(messages []*component.Message, got []int) int {
	t := c.target
	for i, at := range got {
		if _, dead := c.p.at(opAnswer); dead {
			return i
		}
		if at < 0 {
			messages[i].Fail(event.Failf("poison", "the target does not want it"))
			continue
		}
		t.mu.Lock()
		t.taken[at].answered, t.taken[at].at = true, time.Now()
		t.mu.Unlock()
		messages[i].Done(document.Member{Name: "sequence", Value: document.NewInt(int64(at))})
	}
	return len(got)
}
