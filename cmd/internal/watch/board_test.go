package watch

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/builtin/seal"
)

// outline is each agent of a picture, in the order of ids.
func outline(p *picture) string {
	order, _ := ParseOrder("id")
	var all []string
	for _, a := range p.listed(&Options{Sort: order}) {
		all = append(all, a.id+" "+standing(a))
	}
	return strings.Join(all, ", ")
}

func TestWhatEventsComeTo(t *testing.T) {
	removed := told("removed", "001", 20, map[string]any{"current_status": "Unknown"})
	for name, c := range map[string]struct {
		messages [][]byte
		want     string
		changes  int
	}{
		"a snapshot changes nothing":            {[][]byte{snapshotOf("001", 0, "Active", "s", 1)}, "001 active", 0},
		"a change":                              {[][]byte{snapshotOf("001", 0, "Active", "s", 1), disconnectedAt("001", 5)}, "001 disconnected", 1},
		"the same by two subjects":              {[][]byte{disconnectedAt("001", 5), disconnectedAt("001", 5)}, "001 disconnected", 1},
		"an older one after a newer one":        {[][]byte{disconnectedAt("001", 5), told("connected", "001", 4, nil)}, "001 disconnected", 1},
		"a snapshot that shows what was missed": {[][]byte{snapshotOf("001", 0, "Active", "s", 1), snapshotOf("001", 60, "Pending", "t", 1)}, "001 pending", 1},
		"removed":                               {[][]byte{snapshotOf("001", 0, "Active", "s", 1), removed}, "", 1},
		"removed, and an older one comes after": {[][]byte{removed, disconnectedAt("001", 5)}, "", 1},
		"removed, and the id used again":        {[][]byte{removed, told("registered", "001", 20, map[string]any{"current_status": "NeverConnected"})}, "001 never connected", 2},
		"a batch":                               {[][]byte{batch(disconnectedAt("001", 5), told("connected", "002", 6, nil), []byte(`{"event_type":"anomaly"}`))}, "001 disconnected, 002 active", 2},
		"a batch, and its members before":       {[][]byte{disconnectedAt("001", 5), told("connected", "001", 6, nil), batch(disconnectedAt("001", 5))}, "001 active", 2},
		"changes that are suppressed":           {[][]byte{snapshotOf("001", 0, "Active", "s", 1), told("suppressed", "001", 9, nil)}, "001 active?", 0},
		"suppressed, and then the truth":        {[][]byte{snapshotOf("001", 0, "Active", "s", 1), told("suppressed", "001", 9, nil), snapshotOf("001", 60, "Active", "t", 1)}, "001 active", 0},
		"who is missing in a whole snapshot":    {[][]byte{snapshotOf("001", 0, "Active", "s", 2), snapshotOf("002", 0, "Active", "s", 2), snapshotOf("002", 60, "Active", "t", 1)}, "001 active?, 002 active", 0},
		"who is missing in one of two parts": {[][]byte{
			snapshotOf("001", 0, "Active", "s", 3), snapshotOf("002", 0, "Active", "s", 3), snapshotOf("003", 1, "Active", "s", 3),
			snapshotOf("002", 60, "Active", "t", 2), snapshotOf("003", 61, "Active", "t", 2),
		}, "001 active?, 002 active, 003 active", 0},
		"who is missing in one that is not whole": {[][]byte{snapshotOf("001", 0, "Active", "s", 2), snapshotOf("002", 0, "Active", "s", 2), snapshotOf("002", 60, "Active", "t", 2)}, "001 active, 002 active", 0},
		"a restart of the manager":                {[][]byte{marshal(map[string]any{"event_type": "manager_restart", "event_id": "r", "timestamp": noon, "manager_node": "m1", "agents": 3})}, "", 1},
		"the same id at another manager":          {[][]byte{disconnectedAt("001", 5), told("connected", "001", 6, map[string]any{"manager_node": "m2"})}, "001 disconnected, 001 active", 2},
	} {
		t.Run(name, func(t *testing.T) {
			b := board(Options{}, c.messages...)
			if got := outline(b.picture(at(61))); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			if got := len(b.taken()); got != c.changes {
				t.Errorf("%d changes, want %d", got, c.changes)
			}
			if b.counts.malformed > 0 {
				t.Error("malformed")
			}
		})
	}
}

func batch(members ...[]byte) []byte {
	raw := make([]json.RawMessage, len(members))
	for i, m := range members {
		raw[i] = m
	}
	return marshal(map[string]any{"event_type": "batch", "batch_id": "b", "events": raw})
}

// What makes no sense is counted, and is not in the way.
func TestMalformedMessages(t *testing.T) {
	bad := []string{
		"", "x", "[]", "3", `{"event_type":"snapshot"`, `{"event_type":"snapshot"}`, "\xff\xfe", `{"event_type":"connected","event_type":"removed"}`,
		string(told("connected", "", 1, nil)), string(told("connected", "001", 1, map[string]any{"current_status": "Gone"})),
		string(told("connected", "001", 1, map[string]any{"timestamp": "yesterday"})), string(told("connected", "001", 1, map[string]any{"manager_node": ""})),
		string(told("connected", "001", 1, map[string]any{"os": 3})), `{"event_type":"batch","events":3}`,
	}
	b := board(Options{}, snapshotOf("002", 0, "Active", "s", 1))
	for i, m := range bad {
		if b.Message([]byte(m)); b.counts.malformed != i+1 {
			t.Fatalf("%q counts as good", m)
		}
	}
	b.Damaged()
	b.Message(batch(batch(), []byte(`7`)))
	for _, m := range []string{`{}`, `{"event_type":"anomaly","events":7}`, `{"event_type":9}`} {
		b.Message([]byte(m))
	}
	p := b.picture(at(10))
	if want := (counts{malformed: len(bad) + 3, other: 3}); p.counts != want {
		t.Errorf("%+v, want %+v", p.counts, want)
	}
	if got := outline(p); got != "002 active" {
		t.Error(got)
	}
	if got := notes(p); !slices.Equal(got, []string{"17 messages that made no sense"}) {
		t.Errorf("%q", got)
	}
}

func FuzzMessage(f *testing.F) {
	for _, m := range [][]byte{disconnectedAt("001", 1), snapshotOf("1", 0, "Pending", "s", 1), heartbeat(1, 2, "x"), batch(disconnectedAt("001", 5)), []byte(`{"encrypted":{}}`)} {
		f.Add(m)
	}
	f.Fuzz(func(t *testing.T, m []byte) {
		b := board(Options{}, m, m)
		p := b.picture(noon)
		for _, line := range frame(p, &Options{}, 80, 24) {
			if got := cells(line); got > 79 {
				t.Errorf("%q takes %d columns", line, got)
			}
			harmless(t, line)
		}
		for _, c := range b.taken() {
			harmless(t, c.line())
		}
	})
}

// A manager that is silent, or can't read its agents, has stale ones.
func TestStale(t *testing.T) {
	b := board(Options{}, snapshotOf("001", 0, "Active", "s", 1), heartbeat(30, 3, ""))
	for after, want := range map[int]string{149: "001 active", 151: "001 active?"} {
		if got := outline(b.picture(at(after))); got != want {
			t.Errorf("after %d s: %s", after, got)
		}
	}
	if got := strings.Join(notes(b.picture(at(200))), "|"); got != "manager m1: last heard of 2m ago; 2 of its agents are not known yet|1 agent may have changed since: status with a ?" {
		t.Error(got)
	}
	b.Message(heartbeat(160, 1, "the database is locked"))
	if got := strings.Join(notes(b.picture(at(165))), "|"); !strings.HasPrefix(got, "manager m1: the database is locked; last heard of 2m ago|") {
		t.Errorf("a heartbeat that has read nothing: %s", got)
	}
	b.Message(heartbeat(30, 9, "an old one"))
	if got := notes(b.picture(at(165))); !strings.Contains(got[0], "locked") {
		t.Errorf("an old heartbeat counts: %q", got)
	}
	b.Message(heartbeat(170, 1, ""))
	if got := notes(b.picture(at(171))); len(got) > 0 {
		t.Errorf("%q", got)
	}
}

func TestChangesOfTheLastMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m minute
		start := time.Now()
		for range 3 {
			m.add(start)
		}
		m.add(start.Add(59 * time.Second))
		m.add(start.Add(-time.Minute)) // its place is taken
		m.add(time.Unix(-5, 0))
		for after, want := range map[time.Duration]int{59 * time.Second: 4, 60 * time.Second: 1, 119 * time.Second: 0} {
			if got := m.before(start.Add(after)); got != want {
				t.Errorf("%d after %s, want %d", got, after, want)
			}
		}
		b := board(Options{}, told("connected", "001", 1<<32, nil)) // its clock is centuries ahead
		b.Message(told("connected", "002", 1<<32+1, nil))
		if got := b.picture(time.Now()).recent; got != 2 {
			t.Errorf("%d changes of a clock that is ahead", got)
		}
		time.Sleep(time.Minute)
		if got := b.picture(time.Now()).recent; got != 0 {
			t.Errorf("%d changes a minute later", got)
		}
	})
}

func TestRemovedAgentsAreForgotten(t *testing.T) {
	b := board(Options{}, told("removed", "001", 0, map[string]any{"current_status": "Unknown"}), heartbeat(3601, 0, ""))
	if len(b.agents) != 0 {
		t.Error("it is still known")
	}
}

// sign signs a message as transform "sign" does, of members that are in order.
func sign(t *testing.T, secret []byte, members string) []byte {
	t.Helper()
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("{" + members + "}"))
	return fmt.Appendf(nil, `{%s,"signature":%q}`, members, base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

func TestSignatures(t *testing.T) {
	secret := []byte("0123456789abcdef0123456789abcdef")
	key, err := seal.ParseKey(secret, "")
	if err != nil {
		t.Fatal(err)
	}
	members := `"agent_id":"00%d","current_status":"Active","event_id":"e%[1]d","event_type":"connected","key_id":"k","manager_node":"m1","previous_status":"Disconnected","timestamp":"2026-11-21T12:00:00Z"`
	good := sign(t, secret, fmt.Sprintf(members, 1))
	forged := []byte(strings.ReplaceAll(string(sign(t, secret, fmt.Sprintf(members, 2))), "Disconnected", "Pending"))
	signedBatch := sign(t, secret, `"batch_id":"b","event_type":"batch","events":[{`+fmt.Sprintf(members, 3)+`}],"key_id":"k"`)
	b := board(Options{Keys: []Key{key}}, good, forged, signedBatch, told("connected", "004", 1, nil))
	p := b.picture(noon)
	order, _ := ParseOrder("id")
	var got []string
	for _, a := range p.listed(&Options{Sort: order}) {
		got = append(got, a.id+" "+signed.text(a, noon))
	}
	if want := []string{"001 yes", "002 no", "003 yes", "004 no"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if p.counts.unverified != 2 {
		t.Errorf("%+v", p.counts)
	}
	b.Message(told("connected", "004", 1, nil)) // again, and now believed
	for _, c := range b.taken() {
		if c.id == "002" && !strings.HasSuffix(c.line(), ", not signed by a --key") {
			t.Error(c.line())
		}
	}
}

// Sealed by the transform itself; see also TestPublishedBySealedPipeline.
func TestEncryptedMessagesAreCounted(t *testing.T) {
	message := []byte(`{"agent_id":"001","event_type":"connected","encrypted":{"v":1,"alg":"A256GCM","kid":"k","nonce":"AAAAAAAAAAAAAAAA","ciphertext":"AAAA"}}`)
	key, err := seal.ParseKey([]byte("0123456789abcdef0123456789abcdef"), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, keys := range [][]Key{nil, {key}} {
		b := board(Options{Keys: keys}, message)
		if b.counts.encrypted != 1 || b.counts.malformed != 0 || len(b.agents) != 0 {
			t.Errorf("%+v", b.counts)
		}
		if err := b.why(time.Second); !strings.Contains(err.Error(), "--key FILE") {
			t.Error(err)
		}
	}
}
