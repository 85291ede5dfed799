package service

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// atOnce is how long a stop at once may take. What takes longer hangs, as in a system call on a
// mount that is gone, which nothing in the process can break off.
const atOnce = time.Second

// lastResort ends the process after a second signal if nothing else does. It takes no lock and waits
// for nobody: whatever hangs, it does not.
type lastResort struct {
	out     io.Writer
	hanging func() []string // who has not stopped
	exit    func(code int)
}

// watch looks at the signals that stop until the function that it returns is called.
func (l lastResort) watch(signals <-chan os.Signal) (end func()) {
	over := make(chan struct{})
	go l.wait(signals, over)
	return func() { close(over) }
}

func (l lastResort) wait(signals <-chan os.Signal, over <-chan struct{}) {
	for range 2 {
		select {
		case <-signals:
		case <-over:
			return
		}
	}
	select {
	case <-time.After(atOnce):
	case <-over:
		return
	}
	who := "something"
	if names := l.hanging(); len(names) > 0 {
		who = strings.Join(names, ", ")
	}
	fmt.Fprintf(l.out, "etl: %s did not stop within %s and is left: what was on its way comes again with the next start\n", who, atOnce)
	l.exit(1)
}
