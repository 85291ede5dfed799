package plan

import (
	"sync/atomic"
	"time"
)

// Clock is a test's own: it stands still until it is set. Before that it is the machine's.
// What the test runs reads it, now() in its expressions included.
type Clock struct{ at atomic.Pointer[time.Time] }

// Now is the time it is.
func (c *Clock) Now() time.Time {
	if at := c.at.Load(); at != nil {
		return *at
	}
	return time.Now()
}

// Set stops the clock at a time.
func (c *Clock) Set(now time.Time) { c.at.Store(&now) }
