package stdio

import (
	"context"
	"crypto/rand"
	"io"
	"os"
	"sync"

	"github.com/wazuh-etl/etl/runtime/component"
)

// standardInput is the process's own. It outlives the sources that read it,
// one after the other.
var standardInput = &input{from: os.Stdin}

// input reads on a goroutine of its own, since a read of a terminal or a pipe can't
// be interrupted, and keeps what a source that was stopped has left.
type input struct {
	from  io.Reader
	begin sync.Once
	run   string // part of the ids
	reads chan read

	held   *component.Lot // ready, but taken by nobody yet
	rest   []byte         // read behind it, without a line break yet
	offset int64          // of rest in the input
}

// read is the result of one read; data is the reader's until the next.
type read struct {
	data []byte
	err  error
	done chan struct{} // closed by who has copied data
}

// start begins to read, once.
func (i *input) start() {
	i.begin.Do(func() {
		i.run = rand.Text()[:12]
		i.reads = make(chan read)
		go i.pump()
	})
}

func (i *input) pump() {
	buf := make([]byte, 256<<10)
	for {
		n, err := i.from.Read(buf)
		r := read{data: buf[:n], err: err, done: make(chan struct{})}
		i.reads <- r
		<-r.done
		if err != nil {
			close(i.reads)
			return
		}
	}
}

// into reads as much as there is into p; io.EOF ends it.
func (i *input) into(ctx context.Context, p func(n int) []byte) (int, error) {
	select {
	case r, ok := <-i.reads:
		if !ok {
			return 0, io.EOF
		}
		n := copy(p(len(r.data)), r.data)
		close(r.done)
		return n, r.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
