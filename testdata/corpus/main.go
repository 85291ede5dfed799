// Corpus writes made-up alerts to measure with:
//
//	go run ./testdata/corpus [-mix MIX] FILE MB [SEED]
//
// MIX is busy (a busy manager's proportions), irrelevant (those no shipped
// filter wants), linux or windows (those with a wanted ID).
//
// It writes FILE (JSON lines), FILE.expect (the timestamps, unique per alert,
// of those that must arrive where an own network is given) and FILE.meta.json
// (how many there are of each kind), which it prints too.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"

	"github.com/wazuh-etl/etl/builtin/generate/corpus"
)

func main() {
	mix := flag.String("mix", "busy", "which alerts: busy, irrelevant, linux or windows")
	flag.Parse()
	if err := run(*mix, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(name string, args []string) (err error) {
	if len(args) < 2 || len(args) > 3 {
		return errors.New("usage: corpus [-mix MIX] FILE MB [SEED]")
	}
	mix, err := corpus.ParseMix(name)
	if err != nil {
		return err
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
	counts, err := corpus.Write(alerts, expect, mix, int64(megabytes*1e6), seed)
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
