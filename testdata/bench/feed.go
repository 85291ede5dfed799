package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"
)

// feed writes alerts to a file as a manager does: one write for each, and the
// file is rotated away when it is large. They begin anew behind the last one.
type feed struct {
	path     string
	lines    [][]byte
	expected map[string]bool
	relevant int // written so far
	next     int
	file     *os.File
	size     int64
	files    int
}

// rotateAt is how large the file grows.
const rotateAt = 256 << 20

func newFeed(a *alerts, path string) (*feed, error) {
	content, err := os.ReadFile(a.file)
	if err != nil {
		return nil, err
	}
	f := &feed{path: path, lines: bytes.SplitAfter(content, []byte("\n")), expected: a.expected}
	f.lines = f.lines[:len(f.lines)-1] // what is behind the last line break: nothing
	return f, f.rotate()
}

// rotate begins a new file. Its first line, which names its generation, is
// unlike that of every other one.
func (f *feed) rotate() (err error) {
	if f.file != nil {
		f.file.Close()
		if err := os.Rename(f.path, f.path+".1"); err != nil {
			return err
		}
	}
	if f.file, err = os.Create(f.path); err != nil {
		return err
	}
	f.files++
	n, err := f.file.Write(firstLine(f.files))
	f.size = int64(n)
	return err
}

func firstLine(n int) []byte { return fmt.Appendf(nil, "{\"timestamp\":\"file %d\"}\n", n) }

// timestamp is that of a line of the corpus, which begins with it.
func timestamp(line []byte) string {
	line = line[len(`{"timestamp":"`):]
	return string(line[:bytes.IndexByte(line, '"')])
}

// ahead is how many of the next n alerts are relevant.
func (f *feed) ahead(n int) (relevant int) {
	for i := range n {
		if f.expected[timestamp(f.lines[(f.next+i)%len(f.lines)])] {
			relevant++
		}
	}
	return relevant
}

// pace writes so many alerts a second, and says of each relevant one when the
// write began; wrote may be nil.
func (f *feed) pace(ctx context.Context, rate int, duration time.Duration, wrote func(alert string, at time.Time)) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	began, written := time.Now(), 0
	for ctx.Err() == nil {
		elapsed := min(time.Since(began), duration)
		for due := int(elapsed.Seconds() * float64(rate)); written < due; written++ {
			if err := f.write(wrote); err != nil {
				return err
			}
		}
		if elapsed == duration {
			return nil
		}
		<-tick.C
	}
	return ctx.Err()
}

func (f *feed) write(wrote func(string, time.Time)) error {
	if f.size > rotateAt {
		if err := f.rotate(); err != nil {
			return err
		}
	}
	line := f.lines[f.next]
	f.next = (f.next + 1) % len(f.lines)
	if alert := timestamp(line); f.expected[alert] {
		f.relevant++
		if wrote != nil {
			wrote(alert, time.Now())
		}
	}
	n, err := f.file.Write(line)
	f.size += int64(n)
	return err
}
