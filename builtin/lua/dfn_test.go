package lua

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wazuh-etl/etl/runtime/document"
)

const alertsDir = "../../testdata/alerts"

// dfn is the two transforms of the DFN pipeline with their filters in plain Go.
type dfn struct{ windows, syslog *worker }

func newDFN(t testing.TB) dfn {
	return dfn{
		windows: workerOf(t, configOf(t, map[string]any{"script": "lua/dfn_windows.lua"}, nil)),
		syslog:  workerOf(t, configOf(t, map[string]any{"script": "lua/dfn_syslog.lua"}, nil)),
	}
}

var windowsEvents = []string{"1100", "1102", "3697", "4625", "4672", "4697", "4698", "4702", "4719", "4720", "4724", "4794", "4964"}

func isWindows(alert document.Value) bool {
	id := alert.At("data", "win", "system", "eventID")
	text := id.Text()
	if id.Kind() == document.Number {
		text = id.Number()
	}
	return slices.Contains(windowsEvents, text)
}

func isFail2ban(alert document.Value) bool {
	if alert.At("data", "program_name").Text() != "fail2ban.actions" || alert.At("data", "srcip").IsNil() {
		return false
	}
	for group := range alert.At("rule", "groups").Elements() {
		if group.Text() == "fail2ban" {
			return true
		}
	}
	return false
}

// messages are what goes to Kafka for an alert.
func (d dfn) messages(t testing.TB, alert []byte) (out []string) {
	t.Helper()
	parsed, err := document.Parse(alert)
	if err != nil {
		return nil
	}
	for worker, applies := range map[*worker]bool{d.windows: isWindows(parsed.Root()), d.syslog: isFail2ban(parsed.Root())} {
		if !applies {
			continue
		}
		got, _, err := run(worker, string(alert))
		if err != nil {
			t.Fatalf("%v\n%s", err, alert)
		}
		out = append(out, got...)
	}
	return out
}

func TestDFNGoldens(t *testing.T) {
	d := newDFN(t)
	names, err := filepath.Glob(filepath.Join(alertsDir, "*.json"))
	if err != nil || len(names) != 26 {
		t.Fatalf("%d alerts, %v", len(names), err)
	}
	for _, name := range names {
		base := strings.TrimSuffix(filepath.Base(name), ".json")
		t.Run(base, func(t *testing.T) {
			alert, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			want := ""
			if text, err := os.ReadFile(filepath.Join(alertsDir, "expected", base+".kafka.json")); err == nil {
				want = compact(t, text)
			} else if !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			got := ""
			for _, message := range d.messages(t, alert) {
				got += compact(t, []byte(message))
			}
			if got != want {
				t.Errorf("got\n%s\nwant\n%s", cutText(got), cutText(want))
			}
		})
	}
}

func cutText(s string) string { return s[:min(len(s), 3000)] }

// compact is JSON without blanks, with its strings written one way.
func compact(t testing.TB, text []byte) string {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return b.String()
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, cutText(string(text)))
		}
		switch token := token.(type) {
		case json.Delim:
			b.WriteRune(rune(token))
		default:
			if err := encoder.Encode(token); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// wellFormed says that text is XML, and what its elements hold.
func wellFormed(t testing.TB, text string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(text))
	decoder.Strict = true
	for {
		if _, err := decoder.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, cutText(text))
		}
	}
}

// realDir lies beside the repository where the owner has put it; CI has it.
const realDir = "../../../shared/alerts/real"

// breaks are the cases in which the reference breaks, with the number of the
// rule in testdata/alerts/README.md that wins there.
var breaks = map[string]int{}

func TestDFNRealAlerts(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(realDir, "cases.jsonl"))
	if errors.Is(err, os.ErrNotExist) && os.Getenv("CI") != "true" {
		t.Skipf("the real alerts are not in the repository, and not at %s", realDir)
	}
	if err != nil {
		t.Fatal(err)
	}
	d := newDFN(t)
	n := 0
	for line := range bytes.Lines(text) {
		n++
		var c struct {
			Name, Alert   string
			OwnNetwork    *string `json:"own_network"`
			DroppedReason string  `json:"dropped_reason"`
			Kafka         json.RawMessage
		}
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		t.Run(c.Name, func(t *testing.T) {
			if c.DroppedReason == "not_global" {
				return // by the filter's address test, which is not Lua's
			}
			got, want := "", ""
			for _, message := range d.messages(t, []byte(c.Alert)) {
				got += byValue(t, []byte(message))
			}
			if string(c.Kafka) != "null" {
				want = byValue(t, c.Kafka)
			}
			if rule := breaks[c.Name]; rule != 0 {
				if got == want {
					t.Errorf("the reference doesn't break here (rule %d): take the case off the list", rule)
				}
				return
			}
			if got != want {
				t.Errorf("got\n%s\nwant\n%s", cutText(got), cutText(want))
			}
		})
	}
	if n != 211 {
		t.Errorf("%d cases", n)
	}
}

// byValue is compact with numbers written one way.
func byValue(t testing.TB, text []byte) string {
	t.Helper()
	var b strings.Builder
	for part := range strings.Lines(compact(t, text)) {
		token := strings.TrimLeft(part, "{}[]")
		b.WriteString(part[:len(part)-len(token)])
		var number float64
		if json.Unmarshal([]byte(token), &number) == nil && token[0] != 'n' {
			encoded, _ := json.Marshal(number)
			token = string(encoded) + "\n"
		}
		b.WriteString(token)
	}
	return b.String()
}

// An alert that matches both filters gives a message for each, with ids of
// their own (rule 6).
func TestDFNBothFilters(t *testing.T) {
	const alert = `{"rule":{"groups":["fail2ban"]},"full_log":"x","data":{"program_name":"fail2ban.actions","srcip":"1.2.3.4","win":{"system":{"eventID":4672}}}}`
	d := newDFN(t)
	d.syslog.transform.address = "transform.lua.other"
	if got := d.messages(t, []byte(alert)); len(got) != 2 {
		t.Errorf("%d messages", len(got))
	}
	_, windows, _ := run(d.windows, alert)
	_, syslog, _ := run(d.syslog, alert)
	if windows[0].ID() == syslog[0].ID() {
		t.Errorf("both are %s", windows[0].ID())
	}
}
