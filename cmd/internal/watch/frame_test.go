package watch

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the frames in testdata anew")

// fleetOf are agents of all kinds, the first with a name that would like to steer the terminal.
func fleetOf(n int) [][]byte {
	var messages [][]byte
	for i := 1; i <= n; i++ {
		more := map[string]any{"ip_address": fmt.Sprintf("10.0.%d.%d", i/250, i%250), "snapshot": map[string]any{"id": "s", "index": i, "count": n}}
		switch {
		case i == 1:
			more["agent_name"] = "evil\x1b[2J\u202e\u009b31mname"
		case i == 2:
			more["agent_name"], more["agent_node"] = "データベース-東京-第二データセンター", "worker-2"
		case i%50 == 3:
			more["current_status"] = "Disconnected"
			more["last_keepalive"] = at(-86400 * 3).Format("2006-01-02T15:04:05Z")
			more["os"] = map[string]any{"name": "Microsoft Windows Server 2022 Datacenter", "version": "10.0.20348.2113"}
		case i%50 == 4:
			more["current_status"], more["ip_address"], more["os"], more["last_keepalive"], more["agent_version"] = "NeverConnected", nil, nil, nil, nil
		case i%50 == 5:
			more["current_status"], more["ip_address"] = "Pending", "2001:db8:85a3:8d3:1319:8a2e:370:7348"
		}
		messages = append(messages, told("snapshot", fmt.Sprintf("%03d", i), -i%60, more))
	}
	return messages
}

// Frames at several widths, as they are in testdata; -update writes them.
func TestFrames(t *testing.T) {
	order, err := ParseOrder("status")
	if err != nil {
		t.Fatal(err)
	}
	few := board(Options{}, append(fleetOf(12), disconnectedAt("007", 1), heartbeat(2, 12, ""))...)
	few.from = "/var/ossec/queue/db/global.db"
	many := board(Options{}, append(fleetOf(10_000), heartbeat(1, 10_003, ""), []byte("x"), []byte(`{"encrypted":{}}`))...)
	many.from = "nats.example:4222"
	many.Trouble(errors.New("nats.example:4222: connection \x1b[31mlost"))
	empty := board(Options{})
	empty.from = "nats.example:4222"
	empty.Note("no stream keeps wazuh.agent.>: only what is published from now on is seen")
	for name, c := range map[string]struct {
		b     *Board
		color bool
	}{"few": {few, false}, "color": {few, true}, "many": {many, false}, "empty": {empty, false}} {
		for _, columns := range []int{0, 60, 80, 120, 200} {
			if columns == 0 && name == "many" {
				continue
			}
			rows := 24
			if columns == 0 {
				rows = 0
			}
			lines := frame(c.b.picture(at(30)), &Options{Sort: order, Color: c.color}, columns, rows)
			if rows > 0 && len(lines) > rows {
				t.Errorf("%s: %d lines", name, len(lines))
			}
			for _, line := range lines {
				if !c.color {
					harmless(t, line)
				}
				if got := cells(uncoloured(line)); columns > 0 && got > columns-1 {
					t.Errorf("%s at %d: %q takes %d", name, columns, line, got)
				}
			}
			golden(t, fmt.Sprintf("%s-%d.txt", name, columns), string(joined(lines)))
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
	}
}

// uncoloured takes the colours out, which are the only thing that a line may say to a terminal.
func uncoloured(line string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(line, "\x1b[")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		_, line, _ = strings.Cut(rest, "m")
	}
}

// However small the terminal is, a frame fits.
func TestSmallTerminals(t *testing.T) {
	b := board(Options{}, append(fleetOf(60), []byte("x"))...)
	for columns := 1; columns < 70; columns++ {
		for _, rows := range []int{1, 2, 5, 9} {
			lines := frame(b.picture(at(30)), &Options{}, columns, rows)
			if len(lines) > rows {
				t.Errorf("%d lines in %d rows", len(lines), rows)
			}
			for _, line := range lines {
				if got := cells(line); got > max(1, columns-1) {
					t.Errorf("%q in %d columns", line, columns)
				}
			}
		}
	}
}

// Without a terminal lines are as wide as they have to be, but for names that are no names.
func TestLongNamesWithoutATerminal(t *testing.T) {
	long := strings.Repeat("漢", 5000)
	named := map[string]any{"agent_name": long, "agent_node": long, "ip_address": long, "manager_node": "m" + long}
	b := board(Options{}, told("registered", "001", 0, named), disconnectedAt("002", 1), told("disconnected", "001", 2, named))
	p := b.picture(at(300))
	o := &Options{}
	lines := frame(p, o, 0, 0)
	for _, c := range b.taken() {
		lines = append(lines, c.line())
	}
	for _, line := range lines {
		if cells(line) > 4*longest+100 || strings.Count(line, "漢") > 4*longest/2 {
			t.Errorf("%d columns: %.200s", cells(line), line)
		}
	}
	if text := strings.Join(lines, "\n"); !strings.Contains(text, strings.Repeat("漢", longest/2-1)+"…") {
		t.Error(text)
	}
	if whole := string(marshal(p.document(o))); !strings.Contains(whole, long) {
		t.Error("JSON is cut")
	}
}

func TestFilterAndOrder(t *testing.T) {
	b := board(Options{},
		told("snapshot", "1", 0, map[string]any{"agent_name": "b", "ip_address": "10.0.0.10", "agent_version": "Wazuh v4.9.0"}),
		told("snapshot", "2", -5, map[string]any{"agent_name": "a", "ip_address": "10.0.0.9", "current_status": "Disconnected"}),
		told("snapshot", "10", -9, map[string]any{"agent_name": "c", "ip_address": nil, "current_status": "NeverConnected", "last_keepalive": nil}),
	)
	for _, c := range []struct{ order, status, want string }{
		{"status", "", "2 10 1"}, {"id", "", "1 2 10"}, {"-id", "", "10 2 1"}, {"name", "", "2 1 10"}, {"ip", "", "10 2 1"},
		{"keepalive", "", "10 2 1"}, {"-keepalive", "", "1 2 10"}, {"version", "", "2 10 1"}, {"os", "", "1 2 10"}, {"node", "", "1 2 10"},
		{"id", "active, never-connected", "1 10"}, {"id", "pending", ""},
	} {
		var o Options
		var err error
		if o.Sort, err = ParseOrder(c.order); err != nil {
			t.Fatal(err)
		}
		if o.Status, err = ParseStatuses(c.status); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range b.picture(noon).listed(&o) {
			got = append(got, a.id)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("by %s, only %q: %v, want %s", c.order, c.status, got, c.want)
		}
	}
	for _, bad := range []string{"", "-", "colour", "--id"} {
		if _, err := ParseOrder(bad); err == nil {
			t.Errorf("%q is an order", bad)
		}
	}
	if _, err := ParseStatuses("active,gone"); err == nil || !strings.Contains(err.Error(), `"gone"`) {
		t.Error(err)
	}
}
