package main

import "os/exec"

// Peers are found in PATH. Bento: build cmd/bento of
// github.com/warpstreamlabs/bento; rsyslog: the packages rsyslog and
// rsyslog-kafka of Debian.

// peers do the DFN job as one would write it, and with a text pre-filter made
// by hand; the envelope has the alert's data as they came.
func peers(on *alerts) []*contender {
	return append(
		peer("Bento", on, contender{}, "bento", func(program, config string) []string {
			return []string{program, "-c", config}
		}, "bento.yaml"),
		peer("rsyslog", on, contender{follows: true}, "rsyslogd", func(program, config string) []string {
			return []string{program, "-n", "-i", config + ".pid", "-f", config}
		}, "rsyslog.conf")...)
}

func peer(name string, on *alerts, like contender, program string, command func(program, config string) []string, config string) []*contender {
	path, missing := look(program)
	var both []*contender
	for _, prefilter := range []bool{false, true} {
		c := like
		c.name, c.missing, c.alerts, c.kafka = name+", as one would write it", missing, on, true
		if prefilter {
			c.name = name + ", with a text pre-filter"
		}
		c.command = func(at place) ([]string, error) {
			at.Prefilter = prefilter
			file, err := configure(at, config)
			return command(path, file), err
		}
		both = append(both, &c)
	}
	return both
}

// look is the path of a program, or why it has none.
func look(program string) (path, missing string) {
	path, err := exec.LookPath(program)
	if err != nil {
		return "", program + " is not installed"
	}
	return path, ""
}
