package cmd

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wazuh-etl/etl/builtin"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"etl": func() { Main(builtin.Specs()) }})
}

// TestScripts runs the command lines in testdata; $REPO is the repository.
func TestScripts(t *testing.T) {
	repo, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("REPO", repo)
			env.Setenv("NO_COLOR", "1")
			env.Setenv("AGENTS", someAgents)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"agents":   changeAgents,
			"bus":      bus,
			"exits":    exits,
			"lines":    lines,
			"registry": registry,
		},
	})
}

// exits runs etl and wants an exit code: exits CODE ARG…
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE ARG…")
	}
	err, code := ts.Exec("etl", args[1:]...), 0
	var x *exec.ExitError
	if errors.As(err, &x) {
		code = x.ExitCode()
	} else if err != nil {
		ts.Fatalf("running etl: %v", err)
	}
	if args[0] != strconv.Itoa(code) {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// lines wants so many lines in a file, or in stdout or stderr: lines N FILE
func lines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: lines N FILE")
	}
	if got := strings.Count(ts.ReadFile(args[1]), "\n"); args[0] != strconv.Itoa(got) {
		ts.Fatalf("%s has %d lines, want %s", args[1], got, args[0])
	}
}

// registry makes a Filebeat registry that says how far a file was read, and has
// another one's entry: registry DIR FILE OFFSET
func registry(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: registry DIR FILE OFFSET")
	}
	file := ts.MkAbs(args[1])
	var info syscall.Stat_t
	ts.Check(syscall.Stat(file, &info))
	entry := fmt.Sprintf(`{"op":"set","id":1}
{"k":"filebeat::logs::native::%d-%d","v":{"source":%q,"offset":%s,"ttl":-1,"type":"log","FileStateOS":{"inode":%d,"device":%d},"identifier_name":"native"}}
{"op":"set","id":2}
{"k":"filestream::other::path::/var/log/other.log","v":{"ttl":-1,"cursor":{"offset":1},"meta":{"source":"/var/log/other.log","identifier_name":"path"}}}
`, info.Ino, info.Dev, file, args[2], info.Ino, info.Dev)
	ts.Check(os.MkdirAll(ts.MkAbs(args[0]), 0o750))
	ts.Check(os.WriteFile(filepath.Join(ts.MkAbs(args[0]), "log.json"), []byte(entry), 0o640))
}
