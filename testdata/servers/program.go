//go:build integration

package servers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "etl-integration-")
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "etl")
	build := exec.Command("go", "build", "-o", name, "./cmd/etl")
	build.Dir = filepath.Dir(root())
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building etl: %w\n%s", err, out)
	}
	return name, nil
})

// Program is the path of etl itself, built once for all tests of a package.
func Program(t testing.TB) string {
	t.Helper()
	name, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return name
}
