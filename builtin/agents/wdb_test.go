package agents

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
	"github.com/wazuh-etl/etl/testdata/manager"
)

// wazuhDB speaks the protocol of wazuh-db's socket, over a real database, as
// wazuh-db does it: it cuts answers off at 64 KiB, says due where ids do not fit, and runs any SQL.
type wazuhDB struct {
	t        testing.TB
	socket   string
	mu       sync.Mutex
	db       *sqlite3.Conn
	page     int    // bytes of an answer to get-all-agents
	say      string // instead of an answer
	requests []string
	listener net.Listener
	conns    sync.WaitGroup
	open     map[net.Conn]bool
}

func newWazuhDB(t testing.TB, version string, agents int) *wazuhDB {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "global.db")
	manager.New(t, name, version, agents).Kill()
	db, err := sqlite3.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	s := &wazuhDB{t: t, db: db, socket: filepath.Join(dir, "wdb"), page: largestFrame - 512, open: map[net.Conn]bool{}}
	s.listen()
	t.Cleanup(func() {
		s.hangUp()
		_ = db.Close()
	})
	return s
}

func (s *wazuhDB) listen() {
	s.t.Helper()
	var err error
	if s.listener, err = net.Listen("unix", s.socket); err != nil {
		s.t.Fatal(err)
	}
	s.conns.Go(func() {
		for {
			c, err := s.listener.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.open[c] = true
			s.mu.Unlock()
			s.conns.Go(func() { s.serve(c) })
		}
	})
}

// hangUp ends the server and its connections.
func (s *wazuhDB) hangUp() {
	_ = s.listener.Close()
	s.mu.Lock()
	for c := range s.open {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.conns.Wait()
}

func (s *wazuhDB) serve(c net.Conn) {
	defer c.Close()
	for {
		var length [4]byte
		if _, err := io.ReadFull(c, length[:]); err != nil {
			return
		}
		request := make([]byte, binary.LittleEndian.Uint32(length[:]))
		if _, err := io.ReadFull(c, request); err != nil {
			return
		}
		answer := s.answer(string(request))
		if len(answer) > largestFrame-1 {
			answer = answer[:largestFrame-1]
		}
		if _, err := c.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(len(answer))), answer...)); err != nil {
			return
		}
	}
}

func (s *wazuhDB) answer(request string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, request)
	if s.say != "" {
		return s.say
	}
	var last int64
	if _, err := fmt.Sscanf(request, "global get-all-agents last_id %d", &last); err == nil {
		rows := s.rows(fmt.Sprintf("SELECT id FROM agent WHERE id > %d", last))
		var list []string
		size := 2
		for _, r := range rows {
			row, _ := json.Marshal(r)
			if size+len(row)+1 >= s.page {
				return "due [" + strings.Join(list, ",") + "]"
			}
			size += len(row) + 1
			list = append(list, string(row))
		}
		return "ok [" + strings.Join(list, ",") + "]"
	}
	if sql, ok := strings.CutPrefix(request, "global sql "); ok {
		all, err := json.Marshal(s.rows(sql))
		if err != nil {
			return "err " + err.Error()
		}
		return "ok " + string(all)
	}
	return "err Invalid DB query syntax, near '" + request + "'"
}

// rows are those of a statement, without what is null, as cJSON writes them.
func (s *wazuhDB) rows(sql string) []map[string]any {
	q, _, err := s.db.Prepare(sql)
	if err != nil {
		s.t.Errorf("%v in %s", err, sql)
		return nil
	}
	defer q.Close()
	all := []map[string]any{}
	for q.Step() {
		row := map[string]any{}
		for i := range q.ColumnCount() {
			switch q.ColumnType(i) {
			case sqlite3.INTEGER, sqlite3.FLOAT:
				row[q.ColumnName(i)] = q.ColumnFloat(i)
			case sqlite3.TEXT, sqlite3.BLOB:
				row[q.ColumnName(i)] = q.ColumnText(i)
			}
		}
		all = append(all, row)
	}
	return all
}

func (s *wazuhDB) sql(sql string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.db.Exec(sql); err != nil {
		s.t.Fatal(err)
	}
}

func onSocket(t testing.TB, s *wazuhDB) *rig {
	g := newRigIn(t, func(host *component.Host) (reader, error) { return &wdb{dial: host.Dial, name: s.socket}, nil }, world.OS(), filepath.Join(t.TempDir(), "state"))
	g.source.poll = 50 * time.Millisecond
	return g
}

// Both versions are read over the socket, what is not committed too, and no secret is asked for.
func TestSocket(t *testing.T) {
	for _, version := range []string{"4.14", "5"} {
		t.Run(version, func(t *testing.T) {
			s := newWazuhDB(t, version, 1200)
			s.page = 4096 // many pages of ids
			g := onSocket(t, s)
			stop := g.start()
			g.wait("the first read", started(g))
			if n := len(g.have(typeSnapshot)); n != 1200 {
				t.Errorf("%d agents", n)
			}
			s.sql("BEGIN")
			s.sql("UPDATE agent SET connection_status = 'disconnected', disconnection_time = 1750000900, status_code = 4 WHERE id IN (2, 1200)")
			s.sql("DELETE FROM agent WHERE id = 5")
			s.sql("INSERT INTO agent (id, name, date_add) VALUES (1201, 'new', 1760000000)")
			g.wait("the changes", atLeastEvents(g, 4))
			stop()
			got := words(g.have())
			slices.Sort(got) // they may be in two reads
			if want := []string{"disconnected 002 Active Disconnected", "disconnected 1200 Active Disconnected", "registered 1201 Unknown NeverConnected", "removed 005 Active Unknown"}; !slices.Equal(got, want) {
				t.Errorf("%q", got)
			}
			g.valid()
			for _, e := range g.have(typeDisconnected) {
				if *e.IP == "" || e.OS.Name != "Ubuntu" || len(e.Groups) != 2 || e.StatusCode != 4 || *e.LastKeepalive != "2025-06-15T15:06:40Z" {
					t.Errorf("%s", e.raw)
				}
			}
			s.sql("COMMIT")
			s.mu.Lock() // what was asked when the source stopped may come yet
			defer s.mu.Unlock()
			for _, r := range s.requests {
				if strings.Contains(r, "internal_key") || strings.Contains(r, "get-agent-info") || strings.Contains(r, "*") {
					t.Fatalf("a secret is asked for: %s", r)
				}
			}
		})
	}
}

// An answer that wazuh-db cuts off at 64 KiB is asked for in halves.
func TestAnswersThatAreTooLongAreAskedForInHalves(t *testing.T) {
	s := newWazuhDB(t, "4.14", 60)
	s.sql(`UPDATE agent SET "group" = '` + strings.Repeat("a-group-with-a-long-name,", 200) + `z'`)
	g := onSocket(t, s)
	stop := g.start()
	g.wait("the first read", started(g))
	stop()
	for _, e := range g.have(typeSnapshot) {
		if len(e.Groups) != 201 {
			t.Fatalf("agent %s has %d groups", e.AgentID, len(e.Groups))
		}
	}
}

// wazuh-db goes away and comes back.
func TestTheSocketComesBack(t *testing.T) {
	s := newWazuhDB(t, "4.14", 5)
	g := onSocket(t, s)
	stop := g.start()
	defer stop()
	g.wait("the first read", started(g))
	s.hangUp()
	g.wait("health", func() bool { return strings.Contains(g.healthIs(), "wazuh-db") })
	g.want()
	s.sql("UPDATE agent SET connection_status = 'pending' WHERE id = 3")
	s.listen()
	g.wait("the change", atLeastEvents(g, 1))
	g.want("status_change 003 Active Pending")
}

// What wazuh-db can't answer removes nobody.
func TestAnAnswerThatMakesNoSense(t *testing.T) {
	s := newWazuhDB(t, "4.14", 5)
	g := onSocket(t, s)
	stop := g.start()
	defer stop()
	g.wait("the first read", started(g))
	for _, answer := range []string{
		"err Couldn't open DB global", "ok", "ok {}", "ok [{]", "due []", `due [{"id":0}]`, "what", "", `ok [{"id":-3}]`, `ok [{"id":7},{"id":7}]`, `ok ["x"]`,
	} {
		s.mu.Lock()
		s.say = answer
		if answer == "" {
			s.say = " "
		}
		s.mu.Unlock()
		if !strings.HasPrefix(answer, "ok [{\"id\":") { // which is a fleet of other agents, or none
			g.wait(answer, func() bool { return g.healthIs() != "" })
		}
		s.mu.Lock()
		s.say = "err busy"
		s.mu.Unlock()
		g.wait("err busy", func() bool {
			return g.healthIs() == "wazuh-db refuses: err busy" || strings.Contains(g.healthIs(), "busy")
		})
		g.want()
	}
	s.mu.Lock()
	s.say = ""
	s.mu.Unlock()
	g.wait("health", func() bool { return g.healthIs() == "" })
}

// A server that never answers does not keep the source from ending.
func TestAServerThatNeverAnswers(t *testing.T) {
	client, server := net.Pipe()
	defer server.Close()
	go func() { _, _ = io.Copy(io.Discard, server) }()
	w := &wdb{dial: func(context.Context, string, string) (net.Conn, error) { return client, nil }, name: "wdb"}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, _, err := w.Readings(ctx, nil); err == nil {
		t.Error("it has read something")
	}
}

func TestSelectionNeverNamesTheSecret(t *testing.T) {
	for _, version := range []string{"4.14", "5"} {
		columns := map[string]bool{}
		for _, m := range regexp.MustCompile(`(?m)^  "?(\w+)"? +(TEXT|INTEGER)`).FindAllStringSubmatch(schemaOf(t, version), -1) {
			columns[m[1]] = true
		}
		if !columns["internal_key"] || !columns["group"] {
			t.Fatalf("columns %v", columns)
		}
		for _, wanted := range [][][]string{readingColumns, detailColumns} {
			if s := selection(columns, wanted); strings.Contains(s, "key") {
				t.Error(s)
			}
		}
	}
	if s := selection(map[string]bool{"id": true, "register_ip": true}, detailColumns[:3]); s != `"id" AS "id", NULL AS "name", "register_ip" AS "ip"` {
		t.Error(s)
	}
}

// FuzzFrame: whatever comes, an answer is what was sent, or an error.
func FuzzFrame(f *testing.F) {
	f.Add(appendFrame(nil, "ok []"))
	f.Add([]byte{0, 0, 0, 0})
	f.Add([]byte{255, 255, 255, 255, 1})
	f.Add([]byte{5, 0, 0, 0, 'o', 'k'})
	f.Fuzz(func(t *testing.T, sent []byte) {
		answer, err := readFrame(bytes.NewReader(sent), make([]byte, largestFrame))
		if err != nil {
			return
		}
		if !bytes.HasPrefix(sent, appendFrame(nil, string(answer))) {
			t.Errorf("%q of %q", answer, sent)
		}
		if payload, _, err := parseAnswer(answer); err == nil && len(payload) > len(answer) {
			t.Errorf("%q of %q", payload, answer)
		}
	})
}

// FuzzSocketRows: rows are in order and their numbers are numbers, or it is an error.
func FuzzSocketRows(f *testing.F) {
	f.Add([]byte(`[{"id":1,"date_add":1700000001,"connection_status":"active","status_code":0,"disconnection_time":0,"last_keepalive":1.75e9}]`), int64(0))
	f.Add([]byte(`[{"id":1,"date_add":"1700000001"},{"id":2,"last_keepalive":null,"group":"a,b"}]`), int64(7))
	f.Add([]byte(`[{"id":9e99}]`), int64(0))
	f.Fuzz(func(t *testing.T, payload []byte, last int64) {
		rows, err := appendReadings(nil, payload)
		if err == nil && !slices.IsSortedFunc(rows, func(a, b reading) int { return int(a.ID - b.ID) }) {
			t.Errorf("%v", rows)
		}
		for _, r := range rows {
			if r.ID <= 0 || math.Abs(float64(r.Keepalive)) > 1<<53 || r.Status >= statuses {
				t.Errorf("%+v", r)
			}
		}
		if ids, more, err := parseIDs(payload, last, true); err == nil && more && (len(ids) == 0 || ids[0] <= last) {
			t.Errorf("%v behind %d: it would go on for ever", ids, last)
		}
	})
}
