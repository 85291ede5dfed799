package expression

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/event"
)

// The two filters of wazuh-dfn.
const (
	windowsFilter  = `data.win.system.eventID in local.windows_events`
	fail2banFilter = `data.program_name == "fail2ban.actions"
      and data.srcip != nil
      and "fail2ban" in rule.groups
      and (not local.exclude_private
           or is_public(data.srcip) and not in_cidr(data.srcip, var.own_network))`
)

func dfnEnv(t testing.TB) Env {
	return Env{
		Vars:   valueOf(t, `{"own_network":["9.9.9.0/24"]}`),
		Locals: valueOf(t, `{"exclude_private":true,"windows_events":["1100","1102","3697","4625","4672","4697","4698","4702","4719","4720","4724","4794","4964"]}`),
	}
}

func dfn(t testing.TB, src string) *Program {
	p, problems := Condition(src, dfnEnv(t))
	if p == nil || len(problems) > 0 {
		t.Fatal(problems)
	}
	return p
}

func alerts(t testing.TB) [][]byte {
	raw, err := os.ReadFile("../../../testdata/alerts/alerts.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(raw), []byte("\n"))
}

// irrelevant are the alerts that neither filter lets through.
func irrelevant(t testing.TB) (lines [][]byte) {
	windows, fail2ban := dfn(t, windowsFilter), dfn(t, fail2banFilter)
	for _, line := range alerts(t) {
		e := eventOf(string(line))
		if w, err := windows.True(e); w || err != nil {
			continue
		}
		if f, err := fail2ban.True(e); f || err != nil {
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

func TestDFNFilters(t *testing.T) {
	for src, want := range map[string]int{windowsFilter: 11, fail2banFilter: 4} {
		p, got := dfn(t, src), 0
		for _, line := range alerts(t) {
			if ok, _ := p.True(eventOf(string(line))); ok {
				got++
			}
			checkPrefilter(t, p, string(line))
		}
		if got != want {
			t.Errorf("%s: %d matched, want %d", src, got, want)
		}
		if p.Unlike() != 0 {
			t.Errorf("%s: %d unlike values", src, p.Unlike())
		}
	}
}

func TestDroppedAlertsAllocateNothing(t *testing.T) {
	lines := irrelevant(t)
	if len(lines) < 5 {
		t.Fatalf("only %d alerts are irrelevant", len(lines))
	}
	windows, fail2ban := dfn(t, windowsFilter), dfn(t, fail2banFilter)
	e := new(event.Event)
	now := time.Unix(1, 0)
	run := func() {
		for _, line := range lines {
			e.Recycle(stream, 0, line, now, ack.Token{}, nil)
			if ok, err := windows.True(e); ok || err != nil {
				t.Fatal(ok, err)
			}
			if ok, err := fail2ban.True(e); ok || err != nil {
				t.Fatal(ok, err)
			}
		}
	}
	run()
	if n := testing.AllocsPerRun(50, run); n > pooled {
		t.Errorf("%v allocations for %d alerts", n, len(lines))
	}
}

func benchmarkFilter(b *testing.B, src string, lines [][]byte) {
	p := dfn(b, src)
	size := 0
	for _, l := range lines {
		size += len(l)
	}
	e := new(event.Event)
	now := time.Unix(1, 0)
	b.SetBytes(int64(size / len(lines)))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		e.Recycle(stream, 0, lines[i%len(lines)], now, ack.Token{}, nil)
		_, _ = p.True(e)
		i++
	}
}

// Reading, looking for literals, parsing where they are there, evaluating.
func BenchmarkWindowsIrrelevant(b *testing.B)  { benchmarkFilter(b, windowsFilter, irrelevant(b)) }
func BenchmarkFail2banIrrelevant(b *testing.B) { benchmarkFilter(b, fail2banFilter, irrelevant(b)) }
func BenchmarkLevelIrrelevant(b *testing.B)    { benchmarkFilter(b, `rule.level > 14`, irrelevant(b)) }

// The evaluation alone, on a document that is parsed.
func BenchmarkEvaluate(b *testing.B) {
	for name, src := range map[string]string{
		"windows": windowsFilter, "fail2ban": fail2banFilter, "groups": `"fail2ban" in rule.groups`, "level": `rule.level > 3`, "any": `any(rule.groups, # startsWith "fail")`,
	} {
		b.Run(name, func(b *testing.B) {
			p := dfn(b, src)
			e := eventOf(string(irrelevant(b)[1]))
			if _, err := e.Root(); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				_, _ = p.True(e)
			}
		})
	}
}
