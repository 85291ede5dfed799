// Package self knows how this process was started.
package self

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
)

// temporary is where `go run` keeps what it builds: a folder of its own that it
// removes, later the build cache.
var temporary = regexp.MustCompile(`/go-build[0-9]*/|/[0-9a-f]{64}-d/`)

// Command is what to type to start this program again: etl, or the `go run`
// from the root of the module that built it and left no etl to call.
func Command() string {
	executable, err := os.Executable()
	info, ok := debug.ReadBuildInfo()
	if err != nil || !ok {
		return "etl"
	}
	return command(executable, info.Path, info.Main.Path)
}

// command is Command for the main package at path main in the module given.
func command(executable, main, module string) string {
	inside, ok := strings.CutPrefix(main, module)
	if !ok || module == "" || !temporary.MatchString(filepath.ToSlash(executable)) {
		return "etl"
	}
	return "go run ." + inside
}
