package manager

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Writer is a running process that writes a database.
type Writer struct {
	t       testing.TB
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
}

// Open starts a writer of the database name, which ends with the test.
func Open(t testing.TB, name string) *Writer {
	t.Helper()
	w := &Writer{t: t, command: exec.Command(os.Args[0])}
	w.command.Env = append(os.Environ(), databaseEnv+"="+name)
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
	t.Cleanup(w.Kill)
	return w
}

// New makes a database of a version of Wazuh, "4.14" or "5", with agents 1 to n, all
// active, and opens it. Their secrets begin with SECRET.
func New(t testing.TB, name, version string, n int) *Writer {
	t.Helper()
	w := Open(t, name)
	for statement := range strings.SplitSeq(withoutComments(schema(t, version)), ";") {
		if strings.TrimSpace(statement) != "" {
			w.Exec("%s", statement)
		}
	}
	w.SQL(fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO agent (id, name, ip, register_ip, internal_key, os_name, os_version, os_platform, os_arch, version, date_add, last_keepalive, "group", connection_status)
		SELECT i, 'agent-' || i, printf('10.0.%%d.%%d', i / 250, i %% 250), 'any', 'SECRET' || hex(randomblob(32)), 'Ubuntu', '22.04.3 LTS', 'ubuntu', 'x86_64', 'Wazuh v4.14.7', 1700000000 + i, 1750000000, 'default,linux', 'active' FROM n`, n))
	return w
}

// schema is that of a version, in schemas/.
func schema(t testing.TB, version string) string {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	text, err := os.ReadFile(filepath.Join(filepath.Dir(file), "..", "..", "schemas", "global-"+version+".sql"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func withoutComments(sql string) string {
	var b strings.Builder
	for line := range strings.Lines(sql) {
		code, _, _ := strings.Cut(line, "--")
		b.WriteString(strings.TrimRight(code, "\n") + "\n")
	}
	return b.String()
}

// do sends a command and gives its answer; one that fails fails the test.
func (w *Writer) do(command, rest string) string {
	w.t.Helper()
	if _, err := fmt.Fprintln(w.in, command, strings.ReplaceAll(rest, "\n", " ")); err != nil {
		w.t.Fatal(err)
	}
	if !w.out.Scan() {
		w.t.Fatalf("%s: the writer has ended", command)
	}
	answer, ok := strings.CutPrefix(w.out.Text(), "ok")
	if !ok {
		w.t.Fatalf("%s %s: %s", command, rest, w.out.Text())
	}
	return strings.TrimSpace(answer)
}

// Exec runs a statement; BEGIN opens a transaction that lasts until Commit.
func (w *Writer) Exec(format string, args ...any) {
	w.t.Helper()
	w.do("sql", fmt.Sprintf(format, args...))
}

// Commit ends the transaction, and says when it had ended.
func (w *Writer) Commit() time.Time {
	w.t.Helper()
	at, err := strconv.ParseInt(w.do("commit", ""), 10, 64)
	if err != nil {
		w.t.Fatal(err)
	}
	return time.Unix(0, at)
}

// SQL runs statements as one transaction that is committed at once.
func (w *Writer) SQL(statements ...string) time.Time {
	w.t.Helper()
	w.Exec("BEGIN IMMEDIATE")
	for _, s := range statements {
		w.Exec("%s", s)
	}
	return w.Commit()
}

// Load commits 20 times a second, each a change of every thousandth agent, and says how many
// commits failed after all their tries, and how many of them in a row at most.
func (w *Writer) Load(commits int) (failed, inARow int) {
	w.t.Helper()
	answer := w.do("load", strconv.Itoa(commits))
	if _, err := fmt.Sscan(answer, &failed, &inARow); err != nil {
		w.t.Fatalf("%v in %q", err, answer)
	}
	return failed, inARow
}

// Kill ends the process without a chance to clean up.
func (w *Writer) Kill() {
	if w.command.ProcessState == nil {
		_ = w.command.Process.Kill()
		_ = w.in.Close()
		_ = w.command.Wait()
	}
}
