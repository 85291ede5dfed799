// Package manager plays the part of a Wazuh manager's wazuh-db in tests: a
// process of its own that writes queue/db/global.db, with the real schema, a
// rollback journal, transactions that stay open, and no patience for locks.
//
// That process is the test's own program, started a second time: Main has to
// be the first thing that its TestMain calls.
package manager

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// databaseEnv names the database that the program writes instead of running tests.
const databaseEnv = "ETL_TEST_MANAGER"

// pause is between two commits of a busy wazuh-db.
const pause = 50 * time.Millisecond

// CommitTries is how often wazuh-db tries a commit at once, without a pause, before it gives up.
const CommitTries = 1000

// Main returns at once, unless this is the process of a Writer: then it never does.
func Main() {
	if name := os.Getenv(databaseEnv); name != "" {
		os.Exit(write(name))
	}
}

// write does what its standard input says, a line each, and answers each with a line.
func write(name string) int {
	db, err := sqlite3.Open(name)
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
			for range 100 { // a reader that is at it holds off BEGIN EXCLUSIVE
				if err = db.Exec(rest); !errors.Is(err, sqlite3.BUSY) || !db.GetAutocommit() {
					break
				}
				time.Sleep(pause)
			}
		case "commit":
			for range 100 { // one that has failed is tried again later, with all it is to commit
				if err = commit(db); !errors.Is(err, sqlite3.BUSY) {
					break
				}
				time.Sleep(pause)
			}
			answer = fmt.Sprint("ok ", time.Now().UnixNano())
		case "load":
			answer, err = load(db, rest)
		}
		if err != nil {
			answer = "error " + err.Error()
		}
		fmt.Println(answer)
	}
	return 0
}

// commit is wazuh-db's: see CommitTries.
func commit(db *sqlite3.Conn) error {
	var err error
	for range CommitTries {
		if err = db.Exec("COMMIT"); !errors.Is(err, sqlite3.BUSY) {
			return err
		}
	}
	return err
}

// load commits 20 times a second, and says how many commits failed, and how many
// of them in a row. One that has failed is tried again at the next time, with what that changes.
func load(db *sqlite3.Conn, rest string) (string, error) {
	var commits int
	if _, err := fmt.Sscan(rest, &commits); err != nil {
		return "", err
	}
	failed, row, longest := 0, 0, 0
	tick := time.NewTicker(pause)
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
