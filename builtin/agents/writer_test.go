package agents

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// writerEnv names the database that the test binary writes instead of running tests.
const writerEnv = "AGENTS_TEST_WRITER"

// commitTries is how often wazuh-db tries a statement at once before it gives up.
const commitTries = 1000

// write is the second process. It does what its standard input says, a line
// each, and answers each with a line.
func write() int {
	db, err := sqlite3.Open(os.Getenv(writerEnv))
	if err == nil {
		err = db.Exec("PRAGMA journal_mode = DELETE; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON")
	}
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	db.BusyTimeout(0)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		command, rest, _ := strings.Cut(lines.Text(), " ")
		answer := "ok"
		switch command {
		case "sql":
			err = db.Exec(rest)
		case "commit": // as wazuh-db does it
			err = commit(db)
		case "load": // 20 commits a second
			answer, err = load(db, rest)
		}
		if err != nil {
			answer = "error " + err.Error()
		}
		fmt.Println(answer)
	}
	return 0
}

func commit(db *sqlite3.Conn) error {
	var err error
	for range commitTries {
		if err = db.Exec("COMMIT"); !errors.Is(err, sqlite3.BUSY) {
			return err
		}
	}
	return err
}

// load commits every 50 ms and says how many commits failed, and how many in a row.
func load(db *sqlite3.Conn, rest string) (string, error) {
	var commits int
	if _, err := fmt.Sscan(rest, &commits); err != nil {
		return "", err
	}
	failed, row, longest := 0, 0, 0
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for i := range commits {
		if db.GetAutocommit() {
			if err := db.Exec("BEGIN IMMEDIATE"); err != nil {
				return "", err
			}
		}
		update := fmt.Sprintf("UPDATE agent SET connection_status = CASE connection_status WHEN 'active' THEN 'disconnected' ELSE 'active' END, "+
			"disconnection_time = %d, last_keepalive = %d WHERE id > 0 AND id %% 1000 = %d", 1_750_000_000+i, 1_750_000_000+i, i%1000)
		if err := db.Exec(update); err != nil {
			return "", err
		}
		switch err := commit(db); {
		case err == nil:
			row = 0
		case errors.Is(err, sqlite3.BUSY):
			failed++
			row++
			longest = max(longest, row)
		default:
			return "", err
		}
		<-tick.C
	}
	return fmt.Sprintf("ok %d %d", failed, longest), nil
}

// writer is a running second process.
type writer struct {
	t       testing.TB
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
}

// newWriter starts a process that writes the database name.
func newWriter(t testing.TB, name string) *writer {
	t.Helper()
	w := &writer{t: t, command: exec.Command(os.Args[0])}
	w.command.Env = append(os.Environ(), writerEnv+"="+name)
	w.command.Stderr = os.Stderr
	var err error
	if w.in, err = w.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := w.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	w.out = bufio.NewScanner(out)
	if err := w.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.kill)
	return w
}

// do sends a command and gives its answer; one that fails fails the test.
func (w *writer) do(command string, args ...any) string {
	w.t.Helper()
	if _, err := fmt.Fprintln(w.in, strings.ReplaceAll(fmt.Sprintf(command, args...), "\n", " ")); err != nil {
		w.t.Fatal(err)
	}
	if !w.out.Scan() {
		w.t.Fatalf("%s: the writer has ended", command)
	}
	answer, ok := strings.CutPrefix(w.out.Text(), "ok")
	if !ok {
		w.t.Fatalf("%s: %s", command, w.out.Text())
	}
	return strings.TrimSpace(answer)
}

// sql runs statements, each as one of wazuh-db's transactions that is committed at once.
func (w *writer) sql(statements ...string) {
	w.t.Helper()
	w.do("sql BEGIN IMMEDIATE")
	for _, s := range statements {
		w.do("sql %s", s)
	}
	w.do("commit")
}

// kill ends the process without a chance to clean up.
func (w *writer) kill() {
	if w.command.ProcessState == nil {
		_ = w.command.Process.Kill()
		_ = w.in.Close()
		_ = w.command.Wait()
	}
}

// newFleet makes a database of a version with agents 1 to n, all active.
func newFleet(t testing.TB, name, version string, n int) *writer {
	t.Helper()
	w := newWriter(t, name)
	for statement := range strings.SplitSeq(withoutComments(schemaOf(t, version)), ";") {
		if strings.TrimSpace(statement) != "" {
			w.do("sql %s", statement)
		}
	}
	w.sql(fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO agent (id, name, ip, register_ip, internal_key, os_name, os_version, os_platform, os_arch, version, date_add, last_keepalive, "group", connection_status)
		SELECT i, 'agent-' || i, printf('10.0.%%d.%%d', i / 250, i %% 250), 'any', 'SECRET' || hex(randomblob(32)), 'Ubuntu', '22.04.3 LTS', 'ubuntu', 'x86_64', 'Wazuh v4.14.7', 1700000000 + i, 1750000000, 'default,linux', 'active' FROM n`, n))
	return w
}

func withoutComments(sql string) string {
	var b strings.Builder
	for line := range strings.Lines(sql) {
		code, _, _ := strings.Cut(line, "--")
		b.WriteString(strings.TrimRight(code, "\n") + "\n")
	}
	return b.String()
}
