package lua

import (
	"testing"
	"testing/synctest"
	"time"
)

// A machine that stands still while a script runs, as one that is moved to
// another host, does not make the event fail; a script that goes on does.
func TestTheTimeOfAMachineThatStandsStillIsNotTheScripts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := budget{limit: time.Second}
		b.begin()
		b.look()
		for range 3 {
			time.Sleep(time.Hour)
			if b.look(); b.broken != nil {
				t.Fatal(b.broken)
			}
		}
		b.begin()
		b.look()
		for range 101 {
			if b.broken != nil {
				t.Fatalf("after %v of a second: %v", b.ran, b.broken)
			}
			time.Sleep(10 * time.Millisecond)
			b.look()
		}
		if b.broken == nil || b.broken.Code != codeTime {
			t.Errorf("after %v of a second: %v", b.ran, b.broken)
		}
	})
}
