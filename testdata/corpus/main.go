// Corpus writes made-up alerts to measure with:
//
//	go run ./testdata/corpus FILE MB [SEED]
//
// It writes FILE (JSON lines), FILE.expect (the timestamps, unique per alert,
// of those that must arrive where an own network is given) and FILE.meta.json
// (how many there are of each kind), which it prints too.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/wazuh-etl/etl/builtin/generate/corpus"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) (err error) {
	if len(args) < 2 || len(args) > 3 {
		return errors.New("usage: corpus FILE MB [SEED]")
	}
	megabytes, err := strconv.ParseFloat(args[1], 64)
	if err != nil {
		return fmt.Errorf("reading MB: %w", err)
	}
	seed := uint64(20260101)
	if len(args) == 3 {
		if seed, err = strconv.ParseUint(args[2], 10, 64); err != nil {
			return fmt.Errorf("reading SEED: %w", err)
		}
	}
	alerts, err := create(args[0])
	if err != nil {
		return err
	}
	expect, err := create(args[0] + ".expect")
	if err != nil {
		return err
	}
	counts, err := corpus.Write(alerts, expect, int64(megabytes*1e6), seed)
	if err := errors.Join(err, alerts.finish(), expect.finish()); err != nil {
		return err
	}
	meta, err := json.MarshalIndent(counts, "", " ")
	if err != nil {
		return err
	}
	fmt.Println(string(meta))
	return os.WriteFile(args[0]+".meta.json", append(meta, '\n'), 0o644)
}

// output is a file that is written through a buffer.
type output struct {
	*bufio.Writer
	file *os.File
}

func create(name string) (*output, error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	return &output{Writer: bufio.NewWriterSize(f, 1<<20), file: f}, nil
}

func (o *output) finish() error { return errors.Join(o.Flush(), o.file.Close()) }
