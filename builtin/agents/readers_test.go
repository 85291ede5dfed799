package agents

import (
	"encoding/json"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
	"github.com/wazuh-etl/etl/testdata/manager"
)

// history is what happens to a fleet of 12, a transaction for each step.
var history = [][]string{
	{`UPDATE agent SET connection_status = 'disconnected', disconnection_time = 1760000000, status_code = 4 WHERE id IN (1, 2, 12)`},
	{`INSERT INTO agent (id, name, register_ip, date_add, "group") VALUES (13, 'new', 'any', 1760000100, NULL)`,
		`DELETE FROM agent WHERE id = 3`,
		`UPDATE agent SET "group" = 'default,web,db' WHERE id = 5`}, // which is no change of its own
	{`UPDATE agent SET connection_status = 'pending', last_keepalive = 1760000200, ip = '10.9.9.9', os_name = 'Microsoft Windows 11', os_platform = 'windows', version = 'Wazuh v4.14.8' WHERE id = 13`,
		`DELETE FROM agent WHERE id = 4`,
		`INSERT INTO agent (id, name, date_add) VALUES (4, 'another', 1760000250)`},
	{`UPDATE agent SET connection_status = 'disconnected', disconnection_time = 1760000300, status_code = 5 WHERE id > 0 AND connection_status <> 'never_connected'`},
	{`UPDATE agent SET connection_status = 'active', disconnection_time = 0, status_code = 0, last_keepalive = 1760000400 WHERE id IN (1, 5, 13)`},
	{`UPDATE agent SET connection_status = 'disconnected', disconnection_time = 1760000500, status_code = 3 WHERE id = 5`},
	{`UPDATE agent SET connection_status = 'active', disconnection_time = 0, status_code = 0, last_keepalive = 1760000600 WHERE id = 5`},
}

// The database, wazuh-db's socket and the API tell the same of the same history, event_ids and all.
func TestTheReadersTellTheSame(t *testing.T) {
	// Each has a database of its own with the same in it.
	name := filepath.Join(t.TempDir(), "global.db")
	writer := manager.New(t, name, "4.14", 12)
	server, behind := newWazuhDB(t, "4.14", 12), newWazuhDB(t, "4.14", 12)
	api := newWazuhAPI(t, behind.agents()...)
	web := httptest.NewServer(api)
	defer web.Close()
	ways := []struct {
		name string
		rig  *rig
		do   func(statements []string)
	}{
		{"database", onDisk(t, name), func(s []string) { writer.SQL(s...) }},
		{"socket", onSocket(t, server), func(s []string) { server.sql(strings.Join(s, "; ")) }},
		{"api", newRigIn(t, func(host *component.Host) (reader, error) { return newAPI(host, apiConfig(web.URL, nil)) }, world.OS(), filepath.Join(t.TempDir(), "state")), func(s []string) {
			behind.sql(strings.Join(s, "; "))
			api.change(func() { api.agents = behind.agents() })
		}},
	}
	told := make([][]map[string]any, len(ways))
	for i, w := range ways {
		g := w.rig
		for step := 0; ; step++ { // a run for each, so that each is one read
			var from []component.Position
			if step > 0 {
				from = append(from, g.last())
				g = g.again()
			}
			stop := g.start(from...)
			g.wait(w.name, started(g))
			stop()
			g.valid()
			for _, e := range g.events {
				told[i] = append(told[i], facts(t, e.raw))
			}
			if step == len(history) {
				break
			}
			w.do(history[step])
		}
	}
	if n := len(told[0]); n < 8*12+20 {
		t.Errorf("%d events", n)
	}
	for i := range ways[1:] {
		if d := cmp.Diff(told[0], told[i+1]); d != "" {
			t.Errorf("%s (-) and %s (+):\n%s", ways[0].name, ways[i+1].name, d)
		}
	}
}

// facts are an event without what is of this one read: when it was, and which snapshot it is part of.
func facts(t *testing.T, raw string) map[string]any {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(raw), &members); err != nil {
		t.Fatal(err)
	}
	delete(members, "timestamp")
	if part, ok := members["snapshot"].(map[string]any); ok {
		delete(part, "id")
		delete(members, "event_id")
	}
	return members
}

// agents are those of the database, as the API finds them there.
func (s *wazuhDB) agents() []agent {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []agent
	for _, row := range s.rows(`SELECT id, name, coalesce(ip, register_ip) AS ip, date_add, connection_status, status_code, disconnection_time, last_keepalive,
		version, node_name, "group", os_name, os_version, os_platform, os_arch FROM agent WHERE id > 0 ORDER BY id`) {
		text := func(name string) string { s, _ := row[name].(string); return s }
		number := func(name string) int64 { n, _ := row[name].(float64); return int64(n) }
		all = append(all, agent{
			reading: reading{
				ID: number("id"), Added: number("date_add"), Status: status(max(0, slices.Index(inWazuh[:], text("connection_status")))),
				Code: int32(number("status_code")), Disconnected: number("disconnection_time"), Keepalive: number("last_keepalive"),
			},
			details: details{Name: text("name"), IP: text("ip"), Shared: share(profile{
				Version: text("version"), Node: text("node_name"), Groups: text("group"),
				OS: system{Name: text("os_name"), Version: text("os_version"), Platform: text("os_platform"), Arch: text("os_arch")},
			})},
		})
	}
	return all
}
