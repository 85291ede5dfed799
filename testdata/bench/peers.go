package main

import (
	"os/exec"
	"path/filepath"
)

// peers do the DFN job as one would write it, and with a text pre-filter made
// by hand; their envelope has the alert's data as they came. Who is not
// installed is missing:
//
//   - Bento: bento in PATH, which cmd/bento of github.com/warpstreamlabs/bento builds
//   - rsyslog: Debian's packages rsyslog and rsyslog-kafka
func peers(on *alerts) (all []*contender) {
	for _, p := range []struct {
		name, program, config string
		module                string // pattern of a file that it needs
		follows               bool
		args                  func(config string) []string
	}{
		{
			name: "Bento", program: "bento", config: "bento.yaml",
			args: func(config string) []string { return []string{"-c", config} },
		},
		{
			name: "rsyslog", program: "rsyslogd", config: "rsyslog.conf", module: "/usr/lib*/*/rsyslog/omkafka.so", follows: true,
			args: func(config string) []string { return []string{"-n", "-i", config + ".pid", "-f", config} },
		},
	} {
		path, missing := look(p.program)
		if found, _ := filepath.Glob(p.module); missing == "" && p.module != "" && len(found) == 0 {
			missing = "there is no " + p.module
		}
		for _, prefilter := range []bool{false, true} {
			c := &contender{name: p.name + ", as one would write it", missing: missing, alerts: on, kafka: true, follows: p.follows}
			if prefilter {
				c.name = p.name + ", with a text pre-filter"
			}
			c.command = func(at place) ([]string, error) {
				at.Prefilter = prefilter
				file, err := configure(at, p.config)
				return append([]string{path}, p.args(file)...), err
			}
			all = append(all, c)
		}
	}
	return all
}

// look is the path of a program, or why it has none.
func look(program string) (path, missing string) {
	for _, name := range []string{program, "/usr/sbin/" + program} { // not everybody's PATH has daemons
		if path, err := exec.LookPath(name); err == nil {
			return path, ""
		}
	}
	return "", program + " is not installed"
}
