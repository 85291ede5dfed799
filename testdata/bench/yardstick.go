package main

import (
	"bufio"
	"encoding/json"
	"os"
	"strconv"
	"strings"

	"github.com/wazuh-etl/etl/testdata/experiment"
)

// The two conditions of the DFN job as a regular expression.
const conditions = `"eventID":"(1100|1102|3697|4625|4672|4697|4698|4702|4719|4720|4724|4794|4964)"|"program_name":"fail2ban\.actions"`

// yardstick is a program that only looks at the alerts, its locale C.
func yardstick(name string, on *alerts, command ...string) *contender {
	path, missing := look(command[0])
	return &contender{name: name, missing: missing, alerts: on, looks: true, command: func(at place) ([]string, error) {
		args := append([]string{path}, command[1:]...)
		return append(args, at.Alerts), nil
	}}
}

func lineCount(on *alerts) *contender { return yardstick("wc -l", on, "wc", "-l") }

func grepLiteral(on *alerts) *contender {
	return yardstick("grep -c, one literal", on, "grep", "-c", "fail2ban.actions")
}

func grepConditions(on *alerts) *contender {
	return yardstick("grep -cE, the two conditions", on, "grep", "-cE", conditions)
}

// encodingJSON parses each line.
func encodingJSON(on *alerts) *contender {
	return &contender{name: "encoding/json into a map", alerts: on, command: itself("unmarshal")}
}

// theExperiment does the DFN job, into a blackhole.
func theExperiment(on *alerts) *contender {
	return &contender{name: "the experiment", alerts: on, command: itself("experiment"), counted: func(output []byte) (int, error) {
		return strconv.Atoi(strings.TrimSpace(string(output)))
	}}
}

// itself is this program in another process, as one of inProcess.
func itself(as string) func(place) ([]string, error) {
	return func(at place) ([]string, error) {
		self, err := os.Executable()
		return []string{self, as, at.Alerts}, err
	}
}

// inProcess are the contenders that this program is itself, if its arguments
// are a name and a file. Each prints how many alerts it had.
var inProcess = map[string]func(file string) (int64, error){"unmarshal": unmarshal, "experiment": experiment.Run}

// unmarshal parses each line of a file with encoding/json.
func unmarshal(file string) (n int64, err error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(make([]byte, 1<<20), 1<<20)
	for ; lines.Scan(); n++ {
		var alert map[string]any
		if err := json.Unmarshal(lines.Bytes(), &alert); err != nil {
			return n, err
		}
	}
	return n, lines.Err()
}
