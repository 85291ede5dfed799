package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
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

// encodingJSON is this program in another process.
func encodingJSON(on *alerts) *contender {
	return &contender{name: "encoding/json into a map", alerts: on, command: func(at place) ([]string, error) {
		self, err := os.Executable()
		return []string{self, unmarshalCommand, at.Alerts}, err
	}}
}

const unmarshalCommand = "unmarshal"

// unmarshal parses each line of a file with encoding/json.
func unmarshal(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(make([]byte, 1<<20), 1<<20)
	n := 0
	for ; lines.Scan(); n++ {
		var alert map[string]any
		if err := json.Unmarshal(lines.Bytes(), &alert); err != nil {
			return err
		}
	}
	fmt.Println(n)
	return lines.Err()
}
