package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// etl is the program itself, with a pipeline made of some files of jobs.
func (b *bench) etl(name string, on *alerts, kafka bool, files ...string) *contender {
	c := &contender{name: name, alerts: on, kafka: kafka}
	c.command = func(at place) ([]string, error) {
		var parts []string
		for _, file := range files {
			text, err := jobs.ReadFile("jobs/" + file)
			if err != nil {
				return nil, err
			}
			parts = append(parts, string(text))
		}
		return b.etlCommand(at, strings.Join(parts, "\n"), "--once")
	}
	if !kafka {
		c.counted = delivered
	}
	return c
}

// etlCommand runs a pipeline; a topic is given to it if there is one.
func (b *bench) etlCommand(at place, pipeline string, flags ...string) ([]string, error) {
	file := filepath.Join(at.Dir, "bench.hcl")
	if err := os.WriteFile(file, []byte(pipeline), 0o644); err != nil {
		return nil, err
	}
	return b.etlRun(at, file, flags...), nil
}

func (b *bench) etlRun(at place, file string, flags ...string) []string {
	command := []string{b.program, "run", file, "--state-dir", filepath.Join(at.Dir, "state"), "--var", "alerts_file=" + at.Alerts}
	if at.Topic != "" {
		command = append(command, "--var", "brokers="+at.Broker, "--var", "topic="+at.Topic)
	}
	return append(command, flags...)
}

// shipped is pipelines/wazuh-dfn.hcl as it is, with somebody who takes its
// receipts.
func (b *bench) shipped(on *alerts) *contender {
	return &contender{name: "etl, wazuh-dfn.hcl as shipped, with receipts", alerts: on, kafka: true, command: func(at place) ([]string, error) {
		return b.etlRun(at, "pipelines/wazuh-dfn.hcl", "--once", "--var", "wazuh_socket="+b.receipts, "--var", "own_network=192.0.2.0/24"), nil
	}}
}

// filters is one that drops everything, or many: on the Windows event, the
// program's name and the rule's groups in turn, each with a literal of its own.
func (b *bench) filters(name string, n int, on *alerts) *contender {
	var pipeline strings.Builder
	pipeline.WriteString(`variable "alerts_file" { type = string }
source "file" "alerts" { path = var.alerts_file }
`)
	var all []string
	for i := range n {
		where := [...]string{
			`data.win.system.eventID == '9%03d'`,
			`data.program_name == 'daemon-%d'`,
			`'group-%d' in rule.groups`,
		}[i%3]
		fmt.Fprintf(&pipeline, "filter \"f%d\" {\n  from  = source.file.alerts\n  where = \"%s\"\n}\n", i, fmt.Sprintf(where, i))
		all = append(all, fmt.Sprintf("filter.f%d", i))
	}
	fmt.Fprintf(&pipeline, "sink \"blackhole\" \"all\" { from = [%s] }\n", strings.Join(all, ", "))
	return &contender{name: name, alerts: on, counted: delivered, command: func(at place) ([]string, error) {
		return b.etlCommand(at, pipeline.String(), "--once")
	}}
}

// onOneCore makes a contender run on one.
func onOneCore(c *contender) *contender {
	taskset, missing := look("taskset")
	one := *c
	one.name += ", one core"
	if missing != "" {
		one.missing = missing
	}
	one.command = func(at place) ([]string, error) {
		command, err := c.command(at)
		return append([]string{taskset, "-c", "0"}, command...), err
	}
	return &one
}

var summary = regexp.MustCompile(`, delivered ([0-9\pZ]+),`)

// delivered is what the summary of a run says.
func delivered(output []byte) (int, error) {
	found := summary.FindSubmatch(output)
	if found == nil {
		return 0, errors.New("the summary says nothing of events delivered")
	}
	return strconv.Atoi(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, string(found[1])))
}
