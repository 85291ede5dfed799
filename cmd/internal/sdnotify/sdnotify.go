// Package sdnotify tells systemd how the service is: the protocol of
// sd_notify(3) for Type=notify-reload.
package sdnotify

import (
	"fmt"
	"net"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Notifier writes to the service manager's socket. Its zero value, and one
// made without a socket, says nothing to nobody, so that callers need not ask
// whether systemd started them.
type Notifier struct{ address string }

// New is the notifier for the value of $NOTIFY_SOCKET; a name that begins with
// @ is an abstract socket.
func New(socket string) *Notifier { return &Notifier{socket} }

// Ready says that the pipeline runs, after a start and after a reload.
func (n *Notifier) Ready() error { return n.send("READY=1") }

// Reloading says that a reload has begun. Ready must follow, whatever came of
// it: systemctl reload waits for it.
func (n *Notifier) Reloading() error {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return fmt.Errorf("reading the monotonic clock: %w", err)
	}
	return n.send("RELOADING=1", fmt.Sprintf("MONOTONIC_USEC=%d", now.Nano()/1000))
}

// Stopping says that the drain has begun.
func (n *Notifier) Stopping() error { return n.send("STOPPING=1") }

// Status is the line that systemctl status shows.
func (n *Notifier) Status(text string) error {
	return n.send("STATUS=" + strings.Map(func(c rune) rune {
		if c < ' ' {
			return ' '
		}
		return c
	}, text))
}

// Extend asks for more time to stop: the limit is counted from now.
func (n *Notifier) Extend(d time.Duration) error {
	return n.send(fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", d.Microseconds()))
}

func (n *Notifier) send(lines ...string) error {
	if n == nil || n.address == "" {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: n.address, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("notifying the service manager: %w", err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(strings.Join(lines, "\n"))); err != nil {
		return fmt.Errorf("notifying the service manager: %w", err)
	}
	return nil
}
