// Package experiment is the program that etl began as, kept to be measured
// beside it: two searches for a text in what is read, fastjson for the lines
// hit, a userdata for each object that a script looks into, Go functions for
// elements and escaping, into a blackhole. No line is too long for it, no
// alert hostile, no script at fault, and nothing is kept for the time after a
// crash; what it gives for an alert is what etl's DFN job gives.
package experiment

import (
	"bytes"
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// blockSize is how much is read at a time, in bytes.
const blockSize = 1 << 20

// Run gives the alerts of a file to a Worker for each core, and is how many
// went out.
func Run(file string) (int64, error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	from := &blocks{file: f}
	var delivered atomic.Int64
	errs := make([]error, runtime.GOMAXPROCS(0))
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			n, err := drain(from)
			delivered.Add(n)
			errs[i] = err
		})
	}
	all.Wait()
	return delivered.Load(), errors.Join(errs...)
}

// drain is one worker: what went out of the blocks that it got.
func drain(from *blocks) (delivered int64, err error) {
	w, err := New()
	if err != nil {
		return 0, err
	}
	defer w.Close()
	var block, out []byte
	for {
		if block, err = from.next(block); err == io.EOF {
			return delivered, nil
		} else if err != nil {
			return delivered, err
		}
		err := hits(block, func(line []byte) (err error) {
			if out, err = w.Append(out[:0], line); len(out) > 0 {
				delivered++ // the blackhole
			}
			return err
		})
		if err != nil {
			return delivered, err
		}
	}
}

// blocks are a file's, of whole lines.
type blocks struct {
	mu   sync.Mutex
	file *os.File
	rest []byte // the beginning of the line that the block before ended in
}

// next reads a block into the space of another.
func (b *blocks) next(block []byte) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	block = append(block[:0], b.rest...)
	for {
		block = slices.Grow(block, blockSize)
		n, err := b.file.Read(block[len(block) : len(block)+blockSize])
		block = block[:len(block)+n]
		if end := bytes.LastIndexByte(block, '\n') + 1; end > 0 || err != nil {
			b.rest = append(b.rest[:0], block[end:]...)
			return block[:end], err
		}
	}
}

// literals are the texts of which a wanted alert has one.
var literals = [...][]byte{[]byte(`"eventID"`), []byte("fail2ban.actions")}

// hits gives each line of a block that has one of the literals.
func hits(block []byte, line func([]byte) error) error {
	var next [len(literals)]int // where each is, from at on
	for i := range next {
		next[i] = -1
	}
	for at := 0; ; {
		hit := len(block)
		for i, literal := range literals {
			if next[i] < at {
				if next[i] = len(block); at < len(block) {
					if n := bytes.Index(block[at:], literal); n >= 0 {
						next[i] = at + n
					}
				}
			}
			hit = min(hit, next[i])
		}
		if hit == len(block) {
			return nil
		}
		begin := at + bytes.LastIndexByte(block[at:hit], '\n') + 1
		end := hit + bytes.IndexByte(block[hit:], '\n')
		if err := line(block[begin:end]); err != nil {
			return err
		}
		at = end + 1
	}
}
