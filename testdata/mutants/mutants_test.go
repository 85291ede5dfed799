// Package mutants tests the tests of delivery: each *.mutant beside this file
// plants one bug, and the chaos suite's fixed share has to find it. What it can't
// find must be found by the unit tests that the mutant names: "tests" and what go
// test gets. Where the mutant says "only tests", they alone count.
//
//	go test ./testdata/mutants -v -timeout 1h
//	go test ./testdata/mutants -v -run TestMutants/torn
//
// The tree itself is not touched: the compiler is given the changed file by -overlay.
package mutants

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	unitFlag  = flag.Bool("unit", false, "run the unit tests of each mutant too, also where the chaos suite finds it")
	firstFlag = flag.Int("first", 1, "the chaos suite's first seed")
)

// mutant is one planted bug: in File, Old is New.
type mutant struct {
	name, what string
	file, unit string
	only       bool // the chaos suite is not asked
	old, new   string
}

const (
	open   = "\n<<<<<<<\n"
	middle = "\n=======\n"
	end    = "\n>>>>>>>\n"
)

func read(name string) (m mutant, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return m, err
	}
	head, rest, ok := strings.Cut(string(text), open)
	before, after, ok2 := strings.Cut(rest, middle)
	after, _, ok3 := strings.Cut("\n"+after, end)
	if !ok || !ok2 || !ok3 {
		return m, fmt.Errorf("%s is no mutant", name)
	}
	m = mutant{name: strings.TrimSuffix(filepath.Base(name), ".mutant"), old: before, new: strings.TrimPrefix(after, "\n")}
	m.what, head, _ = strings.Cut(head, "\n")
	for line := range strings.Lines(head) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch key {
		case "file":
			m.file = value
		case "tests":
			m.unit = value
		case "only":
			m.only = value == "tests"
		}
	}
	return m, nil
}

// overlay writes the changed file, and what tells the compiler of it.
func (m mutant) overlay(root, dir string) (string, error) {
	path := filepath.Join(root, m.file)
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(text), m.old); n != 1 {
		return "", fmt.Errorf("%s has what %s replaces %d times: bring the mutant up to date", m.file, m.name, n)
	}
	changed := filepath.Join(dir, "changed.go")
	if err := os.WriteFile(changed, []byte(strings.Replace(string(text), m.old, m.new, 1)), 0o600); err != nil {
		return "", err
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, list, 0o600)
}

var violation = regexp.MustCompile(`\d+ violations:\n\s+(.*)`)

func TestMutants(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob("*.mutant")
	if err != nil || len(names) < 20 {
		t.Fatal(len(names), err)
	}
	var table strings.Builder
	for _, name := range names {
		m, err := read(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(m.name, func(t *testing.T) {
			dir := t.TempDir()
			overlay, err := m.overlay(root, dir)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			chaos, why := false, ""
			if !m.only {
				chaos, why = m.chaos(t, root, dir, overlay)
			}
			unit := "-"
			if m.unit != "" && (*unitFlag || !chaos) {
				unit = "survived"
				args := append([]string{"test", "-short", "-overlay", overlay, "-timeout", "2m"}, strings.Fields(m.unit)...)
				if out, err := run(root, 3*time.Minute, "go", args...); err != nil {
					unit = "found"
					if strings.Contains(out, "[build failed]") {
						t.Fatalf("the mutant does not compile:\n%s", out)
					}
				}
			}
			found := "survived"
			switch {
			case chaos:
				found = "found"
			case m.only:
				found = "-"
			}
			fmt.Fprintf(&table, "%-34s %-9s %-9s %5.1f s  %.110s\n", m.name, found, unit, time.Since(began).Seconds(), why)
			if !chaos && unit != "found" {
				t.Errorf("nothing has found it: %s", m.what)
			}
		})
	}
	fmt.Printf("%-34s %-9s %-9s\n%s", "mutant", "chaos", "unit", table.String())
}

// chaos says whether the chaos suite fails, and what it says first.
func (m mutant) chaos(t *testing.T, root, dir, overlay string) (found bool, why string) {
	binary := filepath.Join(dir, "chaos.test")
	if out, err := run(root, 5*time.Minute, "go", "test", "-overlay", overlay, "-c", "-o", binary, "./runtime/chaos"); err != nil {
		t.Fatalf("the mutant does not compile:\n%s", out)
	}
	out, err := run(root, 6*time.Minute, binary, "-test.run", "TestSchedule", "-test.failfast", "-test.timeout", "5m", "-first", fmt.Sprint(*firstFlag))
	if err == nil {
		return false, ""
	}
	if first := violation.FindStringSubmatch(out); first != nil {
		return true, first[1]
	}
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "panic: ") || strings.Contains(line, "again: ") {
			return true, strings.TrimSpace(line)
		}
	}
	return true, "failed"
}

func run(dir string, most time.Duration, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if ctx.Err() != nil {
		err = errors.Join(err, ctx.Err())
	}
	return string(out), err
}
