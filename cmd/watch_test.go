package cmd

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/ncruces/go-sqlite3"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wazuh-etl/etl/builtin"
	"github.com/wazuh-etl/etl/builtin/nats/embedded"
)

// changeAgents makes a manager's database, or does something to it: agents FILE SQL
func changeAgents(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: agents FILE SQL")
	}
	ts.Check(writeAgents(ts.MkAbs(args[0]), args[1]))
}

// writeAgents changes the database name of a manager; one that is not there is made.
func writeAgents(name, statements string) error {
	if _, err := os.Stat(name); err != nil {
		schema, err := os.ReadFile(filepath.Join("..", "schemas", "global-5.sql"))
		if err != nil {
			return err
		}
		statements = string(schema) + statements
	}
	db, err := sqlite3.Open(name)
	if err != nil {
		return err
	}
	err = db.BusyTimeout(time.Minute) // who watches may be reading
	if err == nil {
		err = db.Exec(statements)
	}
	return errors.Join(err, db.Close())
}

// someAgents are four of all kinds; nobody may ever see a secret.
const someAgents = `INSERT INTO agent (id, name, ip, internal_key, os_name, os_version, version, date_add, last_keepalive, connection_status, status_code, disconnection_time) VALUES
	(1, 'web-01', '10.0.0.1', 'SECRET1', 'Ubuntu', '24.04.1 LTS', 'Wazuh v4.14.0', 1700000001, 1750000000, 'active', 0, 0),
	(2, 'db-' || char(27) || '[31m', '10.0.0.2', 'SECRET2', 'Debian GNU/Linux', '12', 'Wazuh v4.13.1', 1700000002, 1750000000, 'disconnected', 4, 1750000900),
	(3, 'new', 'any', 'SECRET3', NULL, NULL, NULL, 1700000003, NULL, 'never_connected', 0, 0),
	(4, 'mail', '10.0.0.4', 'SECRET4', 'Ubuntu', '22.04', 'Wazuh v4.14.0', 1700000004, 1750000000, 'pending', 0, 0);`

// bus starts a NATS server with a stream of these subjects, if there are any, and says where it is: bus VARIABLE [SUBJECT…]
func bus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: bus VARIABLE [SUBJECT…]")
	}
	s, err := embedded.Start(embedded.Options{Dir: ts.MkAbs("bus")})
	ts.Check(err)
	ts.Defer(s.Stop)
	ts.Setenv(args[0], s.URL())
	if len(args) == 1 {
		return
	}
	nc, err := nats.Connect(s.URL())
	ts.Check(err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	ts.Check(err)
	_, err = js.CreateStream(context.Background(), jetstream.StreamConfig{Name: "agents", Subjects: args[1:]})
	ts.Check(err)
}

// The agents of the Wazuh API, asked as the flags say.
func TestWatchAsksTheAPI(t *testing.T) {
	token := "e30." + base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"exp":%d}`, time.Now().Add(time.Hour).Unix())) + ".x"
	api := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		switch {
		case r.URL.Path == "/security/user/authenticate" && user == "watcher" && password == "pass word":
			fmt.Fprint(w, token)
		case r.URL.Path == "/agents" && r.Header.Get("Authorization") == "Bearer "+token:
			fmt.Fprint(w, `{"data":{"affected_items":[{"id":"007","name":"bond","ip":"10.0.0.7","status":"active","version":"Wazuh v4.14.0",
				"node_name":"worker-1","dateAdd":"2026-01-01T00:00:00Z","lastKeepAlive":"2026-01-01T00:00:00Z","os":{"name":"Ubuntu"}}],"total_failed_items":0},"error":0}`)
		default:
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer api.Close()
	dir := t.TempDir()
	file := func(name, content string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	ca := file("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: api.Certificate().Raw})))
	run := func(more ...string) (string, string, int) {
		var out, errs bytes.Buffer
		args := append([]string{"watch", "agents", "--once", "--api", api.URL, "--user", "watcher"}, more...)
		code := execute(t.Context(), builtin.Specs(), args, nil, &out, &errs)
		return out.String(), errs.String(), code
	}
	good := file("password", "pass word\n")
	if out, errs, code := run("--password-file", good, "--tls-ca", ca, "--tls-name", "example.com"); code != 0 || !strings.Contains(out, "\n007  bond  10.0.0.7  Ubuntu  active ") || !strings.Contains(out, "worker-1") {
		t.Errorf("%d %s%s", code, out, errs)
	}
	for want, flags := range map[string][]string{
		"the API refuses the login of watcher (401)": {"--password-file", file("wrong", "guess"), "--tls-ca", ca},
		"certificate signed by unknown authority":    {"--password-file", good},
		"valid for": {"--password-file", good, "--tls-ca", ca, "--tls-name", "other.example"},
	} {
		if out, errs, code := run(flags...); code != exitFailed || !strings.Contains(errs, want) || strings.Count(errs, "\n") != 1 || out != "" {
			t.Errorf("%d %s%s, want %s", code, out, errs, want)
		}
	}
}
