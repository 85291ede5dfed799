package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/wazuh-etl/etl/builtin/generate/corpus"
)

// alerts is a file of made-up ones.
type alerts struct {
	file     string
	bytes    int64
	lines    int
	expected map[string]bool // timestamps of those that must arrive
}

const seed = 20260101

// makeAlerts writes a file of so many bytes, which is in the page cache then.
func makeAlerts(dir string, mix corpus.Mix, size int64) (*alerts, error) {
	a := &alerts{file: filepath.Join(dir, mix.String()+".json"), expected: make(map[string]bool)}
	f, err := os.Create(a.file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := bufio.NewWriterSize(f, 1<<20)
	var expect bytes.Buffer
	counts, err := corpus.Write(out, &expect, mix, size, seed)
	if err := errors.Join(err, out.Flush()); err != nil {
		return nil, fmt.Errorf("writing %s: %w", a.file, err)
	}
	for alert := range strings.FieldsSeq(expect.String()) {
		a.expected[alert] = true
	}
	a.bytes, a.lines = counts.Bytes, counts.Lines
	return a, f.Sync() // nothing is left to write back while others are measured
}

// warm reads the file once.
func (a *alerts) warm() error {
	f, err := os.Open(a.file)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, f, make([]byte, 1<<20))
	return err
}
