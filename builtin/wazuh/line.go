package wazuh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// patience is how long one message may wait for a receiver that does not read
// before the operator is told. The message waits on.
const patience = 5 * time.Second

var errNotReading = errors.New("the receiver does not read: its queue is full")

// dialer is world.World's Dial.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// line is the connection to the receiver, made anew when it breaks.
type line struct {
	network, address string

	conn    net.Conn
	gone    chan struct{} // closed when the peer of a stream has hung up; nil for datagrams
	scratch []byte
}

// connect makes the connection if there is none.
func (l *line) connect(ctx context.Context, dial dialer) error {
	if l.conn != nil {
		select {
		case <-l.gone: // never, if nil
			l.close()
		default:
			return nil
		}
	}
	conn, err := dial(ctx, l.network, l.address)
	if err != nil {
		return fmt.Errorf("connecting to %s: %w", l.address, cause(err))
	}
	l.conn = conn
	if c, ok := conn.(*net.UnixConn); ok {
		_ = c.SetWriteBuffer(2 * maxMessage) // as Wazuh's own senders do; where the kernel allows less, so be it
	}
	if l.network != "unixgram" {
		// Nobody answers here. Reading is how one learns that the peer has gone before writing into the void.
		l.gone = make(chan struct{})
		go func() {
			defer close(l.gone)
			_, _ = io.Copy(io.Discard, conn)
		}()
	}
	return nil
}

// send gives one message to the kernel. A connection that turns out to be
// dead is replaced once: the receiver may have been restarted in between.
func (l *line) send(ctx context.Context, dial dialer, message []byte) error {
	if l.network != "unixgram" {
		l.scratch = append(append(l.scratch[:0], message...), '\n')
		message = l.scratch
	}
	for fresh := false; ; fresh = true {
		fresh = fresh || l.conn == nil
		if err := l.connect(ctx, dial); err != nil {
			return err
		}
		err := l.write(ctx, message)
		switch {
		case err == nil || errors.Is(err, syscall.EMSGSIZE):
			return err
		case errors.Is(err, os.ErrDeadlineExceeded):
			return errNotReading
		case errors.Is(err, syscall.ENOBUFS):
			return fmt.Errorf("sending to %s: %w", l.address, err)
		}
		l.close()
		if fresh {
			return fmt.Errorf("sending to %s: %w", l.address, cause(err))
		}
	}
}

// write writes all of message, waiting for room until ctx or patience ends. A
// stream that took only a part of it is of no use any more.
func (l *line) write(ctx context.Context, message []byte) error {
	conn := l.conn
	if err := conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetWriteDeadline(time.Unix(1, 0)) })()
	n, err := conn.Write(message)
	if err != nil && n > 0 {
		l.close()
	}
	return err
}

// close ends the connection, if there is one.
func (l *line) close() {
	if l.conn == nil {
		return
	}
	_ = l.conn.Close()
	if l.gone != nil {
		<-l.gone
	}
	l.conn, l.gone = nil, nil
}

// cause is a net error without the addresses, which the message has already.
func cause(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}
