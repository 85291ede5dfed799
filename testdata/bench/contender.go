package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

//go:embed jobs
var jobs embed.FS

// place is where a job is done; the peers' configurations are templates of it.
type place struct {
	Dir       string // empty at the beginning
	Alerts    string // file
	Broker    string // host:port
	Topic     string
	Prefilter bool // a hand-made text pre-filter stands before the parser
}

// contender is a program that does a job: alerts from a file, filtered, to a topic or
// to nowhere.
type contender struct {
	name    string
	missing string // why it can't take part
	alerts  *alerts
	kafka   bool                             // it delivers to a topic
	looks   bool                             // it only looks at the alerts
	follows bool                             // it does not end at the end of the file
	command func(place) ([]string, error)    // prepares Dir
	counted func(output []byte) (int, error) // how many it delivered, where that is not seen in a topic; nil: it delivers nothing
}

// result is one run of a contender.
type result struct {
	turn    int
	took    time.Duration // from its start until the last record was stored, or its end
	cpu     time.Duration
	peak    int64    // bytes
	verdict *verdict // nil: nothing to compare
}

// run does the contender's job once.
func (b *bench) run(c *contender) (r result, err error) {
	at := place{Alerts: c.alerts.file}
	if at.Dir, err = os.MkdirTemp(b.dir, "run-"); err != nil {
		return r, err
	}
	defer os.RemoveAll(at.Dir)
	if c.kafka {
		at.Broker = b.broker.address
		if at.Topic, err = b.broker.topic(b.ctx, nil); err != nil {
			return r, fmt.Errorf("making a topic: %w", err)
		}
		defer b.broker.drop(b.ctx, at.Topic)
	}
	command, err := c.command(at)
	if err != nil {
		return r, err
	}
	if err := c.alerts.warm(); err != nil {
		return r, err
	}
	p, err := start(b.ctx, command...)
	if err != nil {
		return r, err
	}
	var done time.Time
	if c.kafka {
		done = b.awaitRecords(p, at.Topic, int64(len(c.alerts.expected)))
	}
	if c.follows {
		if err := p.stop(); err != nil {
			return r, err
		}
	}
	if <-p.ended; !c.follows && !c.succeeded(p) {
		return r, fmt.Errorf("%w\n%s", p.err, &p.output)
	}
	if done.IsZero() {
		done = p.exit
	}
	r = result{took: done.Sub(p.began), cpu: p.cpu(), peak: p.peak.Load()}
	if r.verdict, err = b.verify(c, p, at.Topic); err != nil {
		return r, fmt.Errorf("%w\n%s", err, &p.output)
	}
	if r.verdict != nil && !r.verdict.ok() {
		b.report.note("%s delivered %s:\n%s", c.name, r.verdict, &p.output)
	}
	return r, nil
}

// succeeded reports whether a process that has ended did what it should: grep
// that finds nothing did.
func (c *contender) succeeded(p *process) bool {
	return p.err == nil || c.looks && p.cmd.ProcessState.ExitCode() == 1
}

// awaitRecords returns when n records are stored, and then is the time; or when the
// process has ended, or nothing more comes.
func (b *bench) awaitRecords(p *process, topic string, n int64) (done time.Time) {
	last, changed := int64(0), time.Now()
	for {
		stored, err := b.broker.stored(b.ctx, topic)
		now := time.Now()
		if err == nil && stored >= n {
			return now
		}
		if stored != last {
			last, changed = stored, now
		}
		if now.Sub(changed) > time.Minute || b.ctx.Err() != nil {
			return now
		}
		select {
		case <-p.ended:
			return time.Time{}
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// verify compares what was delivered.
func (b *bench) verify(c *contender, p *process, topic string) (*verdict, error) {
	if c.kafka {
		end, err := b.broker.stored(b.ctx, topic)
		if err != nil {
			return nil, err
		}
		arrived := make(tally)
		if err := b.broker.read(b.ctx, topic, end, func(_ *kgo.Record, alert string) { arrived[alert]++ }); err != nil {
			return nil, err
		}
		v := arrived.compare(c.alerts.expected, 1)
		return &v, nil
	}
	if c.counted == nil {
		return nil, nil
	}
	n, err := c.counted(p.output.text)
	if err != nil {
		return nil, err
	}
	v := verdict{expected: len(c.alerts.expected), delivered: n}
	v.missing, v.unexpected = max(0, v.expected-n), max(0, n-v.expected)
	return &v, nil
}

// configure fills a template of jobs, and is the file.
func configure(at place, name string) (string, error) {
	t, err := template.ParseFS(jobs, "jobs/"+name)
	if err != nil {
		return "", err
	}
	var text bytes.Buffer
	file := filepath.Join(at.Dir, name)
	return file, errors.Join(t.Execute(&text, at), os.WriteFile(file, text.Bytes(), 0o644))
}
