package agents

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

// wazuhAPI speaks as much of the Wazuh API as the source asks for.
type wazuhAPI struct {
	t        testing.TB
	now      func() time.Time
	mu       sync.Mutex
	agents   []agent
	lifetime time.Duration // of a token
	tokens   map[string]time.Time
	logins   atomic.Int64
	requests atomic.Int64
	status   int // answered instead of agents
	header   http.Header
	body     string
}

func newWazuhAPI(t testing.TB, agents ...agent) *wazuhAPI {
	return &wazuhAPI{t: t, now: time.Now, agents: agents, lifetime: 15 * time.Minute, tokens: map[string]time.Time{}}
}

func (s *wazuhAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests.Add(1)
	problem := func(status int, title string) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"title":%q,"detail":"said by the test","error":%d}`, title, status)
	}
	if r.Method == http.MethodPost && r.URL.Path == "/security/user/authenticate" && r.URL.Query().Get("raw") == "true" {
		s.logins.Add(1)
		if user, password, _ := r.BasicAuth(); user != "reader" || password != "secret" {
			problem(http.StatusUnauthorized, "Unauthorized")
			return
		}
		expires := s.now().Add(s.lifetime)
		claims := fmt.Sprintf(`{"iss":"wazuh","exp":%d,"n":%d}`, expires.Unix(), s.logins.Load())
		token := "eyJhbGciOiJFUzUxMiJ9." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2lnbmF0dXJl"
		s.tokens[token] = expires
		fmt.Fprint(w, token)
		return
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	expires, known := s.tokens[token]
	switch q := r.URL.Query(); {
	case !known || !s.now().Before(expires):
		problem(http.StatusUnauthorized, "Invalid token")
	case s.status != 0:
		for name, values := range s.header {
			w.Header()[name] = values
		}
		w.WriteHeader(s.status)
		fmt.Fprint(w, s.body)
	case r.URL.Path != "/agents" || q.Get("sort") != "+id" || strings.Contains(q.Get("select"), "key"):
		problem(http.StatusBadRequest, "Bad Request "+r.URL.String())
	default:
		above, err := strconv.ParseInt(strings.TrimPrefix(q.Get("q"), "id>"), 10, 64)
		if err != nil {
			problem(http.StatusBadRequest, "Bad query")
			return
		}
		limit, _ := strconv.Atoi(q.Get("limit"))
		s.give(w, above, limit)
	}
}

// give writes a page of agents as the API does.
func (s *wazuhAPI) give(w http.ResponseWriter, above int64, limit int) {
	items, total := []map[string]any{}, 0
	date := func(at int64) string { return time.Unix(at, 0).UTC().Format("2006-01-02T15:04:05Z") }
	for _, a := range s.agents {
		if a.ID <= above {
			continue
		}
		if total++; len(items) == limit {
			continue
		}
		p := a.Shared.profile()
		if p == (profile{}) {
			p = profile{Version: "Wazuh v4.14.7", Node: "node01", Groups: "default", OS: system{"Ubuntu", "22.04", "ubuntu", "x86_64"}}
		}
		item := map[string]any{
			"id": shownID(a.ID), "name": a.Name, "ip": a.IP, "status": inWazuh[a.Status], "status_code": a.Code,
			"dateAdd": date(a.Added), "node_name": p.Node,
		}
		// What is not known is left out.
		if p.Version != "" {
			item["version"] = p.Version
		}
		if p.Groups != "" {
			item["group"] = strings.Split(p.Groups, ",")
		}
		if p.OS != (system{}) {
			item["os"] = p.OS
		}
		if a.Keepalive != 0 {
			item["lastKeepAlive"] = date(a.Keepalive)
		}
		if a.Disconnected != 0 {
			item["disconnection_time"] = date(a.Disconnected)
		}
		items = append(items, item)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"data":    map[string]any{"affected_items": items, "total_affected_items": total, "total_failed_items": 0, "failed_items": []any{}},
		"message": "All selected agents information was returned", "error": 0,
	})
}

func (s *wazuhAPI) change(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
}

// apiConfig is the block of a pipeline file.
func apiConfig(url string, more map[string]any) *component.Config {
	c := &component.Config{Values: map[string]any{"url": url, "user": "reader", "password": "secret", "requests": 5.0, "min_version": "1.2"}}
	for name, value := range more {
		c.Values[name] = value
	}
	return c
}

// The whole way over TLS, with a certificate that signs itself as Wazuh's does.
func TestAPIOverTLS(t *testing.T) {
	s := newWazuhAPI(t)
	for id := int64(1); id <= 1100; id++ { // three pages
		s.agents = append(s.agents, one(id, active))
	}
	server := httptest.NewUnstartedServer(s)
	certificate, file := selfSigned(t)
	server.TLS, server.Config.ErrorLog = certificate, log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	c := apiConfig(server.URL, map[string]any{"ca_file": file, "server_name": "wazuh.example", "requests": 5.0})
	g := newRigIn(t, func(host *component.Host) (reader, error) { return newAPI(host, c) }, world.OS(), filepath.Join(t.TempDir(), "state"))
	g.source.poll = 100 * time.Millisecond
	stop := g.start()
	defer stop()
	g.wait("the first read", started(g))
	if n := len(g.have(typeSnapshot)); n != 1100 {
		t.Errorf("%d agents", n)
	}
	s.change(func() { s.agents[1] = one(2, disconnected) })
	g.wait("a change", atLeastEvents(g, 1)) // a read of several pages may be under way: each change by itself
	s.change(func() { s.agents = append(s.agents[:800], s.agents[801:]...) })
	g.wait("the changes", atLeastEvents(g, 2))
	g.want("disconnected 002 Active Disconnected", "removed 801 Active Unknown")
	g.valid()
	if e := g.have()[0]; e.StatusCode != 4 || *e.LastKeepalive != "2025-06-15T15:06:40Z" || *e.AgentNode != "node01" || e.OS.Arch != "x86_64" || *e.IP != "10.0.0.1" {
		t.Errorf("%s", e.raw)
	}
	// Whoever it is, without that certificate it is not asked.
	other := apiConfig(server.URL, map[string]any{"server_name": "wazuh.example"})
	a, err := newAPI(g.host, other)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	before := s.logins.Load()
	if _, _, err := a.Readings(t.Context(), nil); err == nil || s.logins.Load() != before {
		t.Errorf("logged in without knowing the server: %v", err)
	}
}

// apiRig is a source that asks s, in virtual time.
func apiRig(t *testing.T, s *wazuhAPI, more map[string]any) *rig {
	w := worldtest.New()
	listener, err := w.Listen(t.Context(), "tcp", "wazuh:55000")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: s}
	go func() { _ = server.Serve(listener) }()
	c := apiConfig("http://wazuh:55000", more)
	g := newRigIn(t, func(host *component.Host) (reader, error) { return newAPI(host, c) }, w.World, "/state")
	t.Cleanup(func() { _ = server.Close() })
	return g
}

// A token is renewed before it ends, by what it says of itself; one that is refused all the same is renewed once.
func TestTheAPIsTokenIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWazuhAPI(t, one(1, active))
		g := apiRig(t, s, nil)
		defer g.start()()
		pass(time.Second)
		if s.logins.Load() != 1 || !started(g)() {
			t.Fatalf("%d logins", s.logins.Load())
		}
		pass(time.Hour)
		if s.logins.Load() != 5 { // each lasts 14.5 of its 15 minutes
			t.Errorf("%d logins in an hour", s.logins.Load())
		}
		s.change(func() { clear(s.tokens) }) // somebody logged all users out
		pass(6 * time.Second)
		if s.logins.Load() != 6 || g.healthIs() != "" {
			t.Errorf("%d logins, health %q", s.logins.Load(), g.healthIs())
		}
		// A token that is always refused is asked for once, then the API is left alone.
		s.change(func() { s.lifetime = -time.Hour; clear(s.tokens) })
		pass(10 * time.Second)
		if s.logins.Load() > 8 || !strings.Contains(g.healthIs(), "refuses a token") {
			t.Errorf("%d logins, health %q", s.logins.Load(), g.healthIs())
		}
		s.change(func() { s.lifetime = time.Hour; s.agents = []agent{one(1, disconnected)} })
		pass(2 * time.Minute)
		g.want("disconnected 001 Active Disconnected")
		if g.healthIs() != "" {
			t.Errorf("health %q", g.healthIs())
		}
	})
}

func TestALoginThatIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWazuhAPI(t, one(1, active))
		g := apiRig(t, s, map[string]any{"password": "wrong"})
		defer g.start()()
		pass(10*time.Minute - time.Second)
		if s.logins.Load() > 10 { // 50 would lock us out
			t.Errorf("%d logins in ten minutes", s.logins.Load())
		}
		if h := g.healthIs(); !strings.Contains(h, "refuses the login of reader") || !strings.Contains(h, "Unauthorized") || strings.Contains(h, "wrong") {
			t.Errorf("health %q", h)
		}
		g.want()
	})
}

// Never more requests than allowed; and the API's own limit is a reason to be quiet.
func TestTheAPIsLimitIsRespected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newWazuhAPI(t)
		for id := int64(1); id <= 1100; id++ { // three requests
			s.agents = append(s.agents, one(id, active))
		}
		g := apiRig(t, s, map[string]any{"requests": 0.1})
		defer g.start()()
		pass(10 * time.Minute)
		if s.requests.Load() < 30 || s.requests.Load() > 62 {
			t.Errorf("%d requests in ten minutes", s.requests.Load())
		}
		s.change(func() {
			s.status, s.header, s.body = http.StatusTooManyRequests, http.Header{"Retry-After": {"600"}}, `{"title":"Maximum requests reached","error":6001}`
		})
		pass(time.Minute)
		before := s.requests.Load()
		pass(8 * time.Minute)
		if s.requests.Load() != before || !strings.Contains(g.healthIs(), "too many requests: Maximum requests reached") {
			t.Errorf("%d requests, health %q", s.requests.Load()-before, g.healthIs())
		}
		s.change(func() { s.status = 0; s.agents = append(s.agents, one(1101, neverConnected)) })
		pass(5 * time.Minute)
		g.want("registered 1101 Unknown NeverConnected")
	})
}

// What is no whole answer is no fleet.
func TestAnAPIThatGivesNotAll(t *testing.T) {
	for _, body := range []string{
		``, `{}x`, `{"data":{"affected_items":[],"total_failed_items":3},"error":2,"message":"Some agents were not returned"}`,
		`{"error":1,"message":"no"}`, `{"data":{"affected_items":[{"id":"001"},{"id":"001"}]}}`, `{"data":{"affected_items":[{"id":"x"}]}}`,
		`{"data":{"affected_items":[{"id":"000"}]}}`,
	} {
		if _, err := appendItems(nil, map[int64]details{}, 0, []byte(body)); err == nil {
			t.Errorf("%s counts", body)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		s := newWazuhAPI(t, one(1, active))
		g := apiRig(t, s, nil)
		defer g.start()()
		pass(time.Second)
		for _, answer := range []struct {
			status int
			body   string
			health string
		}{
			{http.StatusInternalServerError, `{"title":"Wazuh Internal Error","detail":"Error connecting with socket"}`, "answers 500: Wazuh Internal Error: Error connecting with socket"},
			{http.StatusForbidden, `{"title":"Permission Denied"}`, "answers 403: Permission Denied"},
			{http.StatusFound, ``, "answers 302"},
			{http.StatusOK, `<html>`, "reading the API's agents"},
		} {
			s.change(func() {
				s.status, s.body, s.header = answer.status, answer.body, http.Header{"Location": {"http://elsewhere/"}}
			})
			pass(6 * time.Second)
			if !strings.Contains(g.healthIs(), answer.health) {
				t.Errorf("%d: health %q", answer.status, g.healthIs())
			}
		}
		g.want()
	})
}

func TestParseToken(t *testing.T) {
	part := func(claims string) string { return base64.RawURLEncoding.EncodeToString([]byte(claims)) }
	for text, want := range map[string]int64{
		"a." + part(`{"exp":1750000000}`) + ".c":     1750000000,
		"a." + part(`{"exp":1750000000.5}`) + ".c\n": 1750000000,
		"a." + part(`{"exp":"soon"}`) + ".c":         0,
		"a." + part(`{}`) + ".c":                     0,
		"a.!.c":                                      0,
		"opaque":                                     0,
	} {
		got := parseToken(text)
		if want == 0 && !got.expires.IsZero() || want != 0 && got.expires.Unix() != want || got.text != strings.TrimSpace(text) {
			t.Errorf("%s: %+v", text, got)
		}
		if at := time.Unix(1750000000, 0); want != 0 && (!got.valid(at.Add(-time.Minute)) || got.valid(at.Add(-10*time.Second))) {
			t.Errorf("%s: it is not renewed in time", text)
		}
	}
	if (token{}).valid(time.Now()) {
		t.Error("no token is valid")
	}
}

// FuzzAPIAgents: an answer is agents in their order, or an error.
func FuzzAPIAgents(f *testing.F) {
	w := httptest.NewRecorder()
	newWazuhAPI(f, one(1, active), one(2, disconnected)).give(w, 0, 500)
	f.Add(w.Body.Bytes(), "a.e30.c")
	f.Add([]byte(`{"data":{"affected_items":[{"id":"001","dateAdd":"9999-12-31T23:59:59Z","group":null}]}}`), "a.eyJleHAiOjF9.c")
	f.Fuzz(func(t *testing.T, body []byte, text string) {
		parseToken(text)
		rows, err := appendItems(nil, map[int64]details{}, 0, body)
		if err == nil && !slices.IsSortedFunc(rows, func(a, b reading) int { return int(a.ID - b.ID) }) {
			t.Errorf("%v", rows)
		}
		for _, r := range rows {
			if r.ID <= 0 || r.Added < 0 || r.Keepalive < 0 {
				t.Errorf("%+v", r)
			}
		}
		_ = said(body)
	})
}

func TestErrorsOfTheWorldAreKept(t *testing.T) {
	a, err := newAPI(&component.Host{World: world.World{FS: world.OS().FS, Now: time.Now, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no route")
	}}}, apiConfig("https://wazuh:55000", nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Readings(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "no route") || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
}

// selfSigned is a server's certificate for wazuh.example, and its file.
func selfSigned(t *testing.T) (*tls.Config, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "wazuh.example"}, DNSNames: []string{"wazuh.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "server.crt")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, file
}
