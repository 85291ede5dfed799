// Package signals has the signals that etl run answers to, from the first moment at which a Go
// program can have them. Until somebody listens a signal ends the process without a word, and a
// start is the time at which service managers send some.
//
// It imports next to nothing, so Go initialises it before the components and the libraries behind
// them, which take the longest part of a start until main.
package signals

import (
	"os"
	"os/signal"
	"syscall"
)

// Signals are those that came and that nobody has answered to.
type Signals struct {
	Orders <-chan os.Signal // SIGINT, SIGTERM and SIGHUP
	Stops  <-chan os.Signal // SIGINT and SIGTERM again, for who watches over whoever answers to Orders
	end    func()
}

var early *Signals

func init() {
	if len(os.Args) > 1 && os.Args[1] == "run" { // other commands end at a signal
		early = listen()
	}
}

// Listen returns the signals of this process, also those that came before.
func Listen() *Signals {
	if early != nil {
		return early
	}
	return listen()
}

func listen() *Signals {
	orders, stops := make(chan os.Signal, 8), make(chan os.Signal, 2)
	signal.Notify(orders, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	signal.Notify(stops, syscall.SIGINT, syscall.SIGTERM)
	return &Signals{Orders: orders, Stops: stops, end: func() { signal.Stop(orders); signal.Stop(stops) }}
}

// Close lets signals end the process again.
func (s *Signals) Close() { s.end() }
