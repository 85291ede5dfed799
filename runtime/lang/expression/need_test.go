package expression

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"testing"

	"github.com/wazuh-etl/etl/runtime/lang/langtest"
)

func TestNeeds(t *testing.T) {
	for src, want := range map[string]string{
		`rule.id == 'abc'`:                       "`\"id\"` being `abc`",
		`'abc' == rule.id`:                       "`\"id\"` being `abc`",
		`rule.id == 5`:                           "`\"id\"` being the number 5",
		`5 <= rule.id`:                           "`\"id\"` being a number from 5 on",
		`rule.id < 5.5`:                          "`\"id\"` being a number up to 5.5",
		`rule.id < 1e999`:                        "`\"id\"`",
		`rule.id < 'x'`:                          "`\"id\"`",
		`rule.id == true`:                        "`\"id\"`",
		`rule.id > 12 or rule.id == 7`:           "`\"id\"` being a number from 7 on",
		`x[0] > 5`:                               "`\"x\"`",
		`meta.offset > 5`:                        ``,
		`rule.id == nil`:                         ``,
		`rule.id != nil`:                         "`\"id\"`",
		`rule.id != 'x'`:                         ``,
		`rule.id == 'a/b'`:                       "`\"id\"`",
		`rule.id == 'ä'`:                         "`\"id\"`",
		`data.eventID in ['4624', '4625']`:       "`\"eventID\"` being one of `4624`, `4625`",
		`x in ['aaaa', 'bbbb']`:                  "`\"x\"` being one of `aaaa`, `bbbb`",
		`x in ['aaaa', 5]`:                       "`\"x\"`",
		`x in ['aaaa', 'ä']`:                     "`\"x\"`",
		`x[0] in ['aaaa', 'bbbb']`:               "`aaaa` or `bbbb`",
		`x[0].y in ['aaaa', 'bbbb']`:             "`\"y\"` being one of `aaaa`, `bbbb`",
		`'fail2ban' in rule.groups`:              "`fail2ban`",
		`'fb' in rule.groups`:                    "`\"groups\"`",
		`rule.groups contains 'fail2ban'`:        "`fail2ban`",
		`full_log startsWith 'abcdefghijk'`:      "`abcdefghijk`",
		"full_log matches `abcdefghijk.*d`":      "`abcdefghijk`",
		"full_log matches `(?i)abc`":             "`\"full_log\"`",
		`is_public(data.srcip)`:                  "`\"srcip\"`",
		`rule.level > 3`:                         "`\"level\"` being a number from 3 on",
		`a.flag`:                                 "`\"flag\"`",
		`not a.flag`:                             ``,
		`any(rule.groups, # == 'fail2ban')`:      "`fail2ban`",
		`any(data.list, .name == 'somebody')`:    "`\"name\"` being `somebody`",
		`all(rule.groups, # == 'fail2ban')`:      ``,
		`any(map(a, lower(#)), # == 'fail2ban')`: ``,
		`lower(a) == 'fail2ban'`:                 ``,
		`aaa == 'b' or ccc == 'd'`:               "`\"aaa\"` being `b` or `\"ccc\"` being `d`",
		`aaa == 'b' or aaa == 'd'`:               "`\"aaa\"` being one of `b`, `d`",
		`aaa == 'b' or aaa == 5`:                 "`\"aaa\"`",
		`aaa == 5 or aaa == 'b'`:                 "`\"aaa\"`",
		`aaa == 'b' or true`:                     ``,
		`aaa.flag and bbbbbbbbbb == 'c'`:         "`\"flag\"`", // aaa.flag may be a text, which is an error
		`aaa == 'x' and bbbbbbbbbb == 'c'`:       "`\"bbbbbbbbbb\"` being `c`",
		`lower(a) == 'b' and bbbbbbbbbb == 'c'`:  ``, // lower may fail
		`(aaa ?? 'x') == 'x'`:                    ``,
		`let w = data.win; w.eventid == 'abc'`:   "`\"eventid\"` being `abc`",
		`has(aaa.bbbb)`:                          "`\"bbbb\"`",
		`meta.id == 'abc'`:                       ``,
		`event['@timestamp'] == 'abc'`:           "`\"@timestamp\"` being `abc`",
		`event['a/b'] == 'abc'`:                  "`abc`",
		`event['a"b'] == 'ab'`:                   ``,
		`local.yes and rule.id == 'abc'`:         "`\"id\"` being `abc`",
		`1 < aaa < 3`:                            "`\"aaa\"` being a number from 1 on",
		windowsFilterOfTest:                      "`\"eventID\"` being one of `4625`, `4719`",
	} {
		p, problems := Compile(src, testEnv(t))
		if p == nil {
			t.Errorf("%s: %+v", src, problems)
			continue
		}
		if got := p.Need().String(); got != want {
			t.Errorf("%s: %s, want %s", src, got, want)
		}
	}
}

// Where nothing is known, a reader of the plan is told why.
func TestDoubt(t *testing.T) {
	const plain = "it names no text and no member that has to be there"
	for src, want := range map[string]string{
		`rule.id == 'abc'`:                      "",
		`rule.id == nil`:                        "`==` is true of events that lack the member",
		`rule.id != 'x'`:                        "`!=` is true of events that lack the member",
		`not a.flag`:                            "`not` is true of events that have nothing of what it looks at",
		`meta.offset > 3`:                       plain,
		`lower(a) == 'b' and bbbbbbbbbb == 'c'`: "an error of `lower(a) == 'b'` comes before what follows `and`",
		`rule.id == 'abc' or  a != 'b'`:         "`a != 'b'` is enough, and nothing is known of it",
		`not b or rule.id == 'abc'`:             "`not b` is enough, and nothing is known of it",
		`true`:                                  plain,
	} {
		if got := compile(t, src).Doubt(); got != want {
			t.Errorf("%s: %q, want %q", src, got, want)
		}
	}
}

const windowsFilterOfTest = `data.win.system.eventID in local.list`

// what is evaluated with the search for literals equals what is evaluated
// without.
func checkPrefilter(t *testing.T, p *Program, doc string) {
	t.Helper()
	got, gotErr := p.True(eventOf(doc))
	e := eventOf(doc)
	if _, err := e.Root(); err != nil {
		return
	}
	want, wantErr := p.Evaluate(e)
	if got != want || (gotErr == nil) != (wantErr == nil) {
		t.Fatalf("%s of %s: %v %v, want %v %v", p, doc, got, gotErr, want, wantErr)
	}
}

var pairsFlag = flag.Int("pairs", 600, "how many conditions and documents of each kind TestReachOfNeeds makes up")

// reach is what a kind of condition was tried with.
type reach struct {
	pairs   int
	needs   int // that have a need
	holds   int // that are true
	dropped int // by the need alone
	exact   int // that are evaluated because of a \u, whatever the need
	broken  int // documents that are no JSON
}

// Whatever a condition needs, it is what it would be without: over made-up
// conditions of every kind, and documents that nearly fit them. The kinds that a need is
// derived for must be tried with enough that is true, and enough that takes the exact path. To run it for
// long: go test ./runtime/lang/expression -run Reach -pairs 10000000 -timeout 0
func TestReachOfNeeds(t *testing.T) {
	m := langtest.New(1)
	rules := map[string]*reach{}
	for _, rule := range langtest.Rules() {
		rules[rule] = new(reach)
	}
	for _, rule := range langtest.Rules() {
		r := rules[rule]
		for r.pairs < *pairsFlag {
			c := m.ConditionOf(rule)
			p, problems := Condition(c.Text, Env{})
			if p == nil {
				t.Fatalf("%s: %v", c.Text, problems)
			}
			for range 5 {
				r.try(t, p, m.Document(c.Wishes...))
			}
		}
	}
	for range *pairsFlag { // deeper ones
		c := m.Condition(4)
		if p, _ := Condition(c.Text, Env{}); p != nil {
			var all reach
			all.try(t, p, m.Document(c.Wishes...))
		}
	}
	table := fmt.Sprintf("%-24s %8s %8s %8s %8s %8s", "in %", "needs", "true", "dropped", "exact", "broken")
	for _, rule := range langtest.Rules() {
		r := rules[rule]
		table += fmt.Sprintf("\n%-24s %8d %8d %8d %8d %8d", rule, r.share(r.needs), r.share(r.holds), r.share(r.dropped), r.share(r.exact), r.share(r.broken))
		if r.share(r.holds) < 10 || r.share(r.broken) < 1 {
			t.Errorf("%s: %d %% are true, %d %% are broken", rule, r.share(r.holds), r.share(r.broken))
		}
		if r.needs > 0 && (r.share(r.exact) < 10 || r.share(r.dropped) < 1) {
			t.Errorf("%s: %d %% take the exact path, %d %% are dropped", rule, r.share(r.exact), r.share(r.dropped))
		}
	}
	t.Log("\n" + table)
}

func (r *reach) share(n int) int { return 100 * n / r.pairs }

// try evaluates p for doc with its need and without.
func (r *reach) try(t *testing.T, p *Program, doc []byte) {
	t.Helper()
	got, gotErr := p.True(eventOf(string(doc)))
	want, wantErr := p.Evaluate(eventOf(string(doc)))
	met := p.Need().Met(doc)
	isJSON := json.Valid(doc)
	r.pairs++
	switch {
	case !met && (got || gotErr != nil):
		t.Fatalf("%s of %q does not meet %s: %v %v", p, doc, p.Need(), got, gotErr)
	case !met && isJSON && (want || wantErr != nil), met && (got != want || (gotErr == nil) != (wantErr == nil)):
		t.Fatalf("%s of %q, which needs %s: %v %v, want %v %v", p, doc, p.Need(), got, gotErr, want, wantErr)
	case !isJSON:
		r.broken++
	}
	if want {
		r.holds++
	}
	if p.Need() == nil {
		return
	}
	r.needs++
	switch {
	case !met:
		r.dropped++
	case bytes.Contains(doc, []byte(`\u`)):
		r.exact++
	}
}

// FuzzNeeds tries made-up conditions with any document.
func FuzzNeeds(f *testing.F) {
	for seed := range uint64(20) {
		m := langtest.New(seed)
		c := m.Condition(3)
		f.Add(seed, m.Document(c.Wishes...))
	}
	f.Fuzz(func(t *testing.T, seed uint64, doc []byte) {
		m := langtest.New(seed)
		c := m.Condition(3)
		p, _ := Condition(c.Text, Env{})
		if p == nil {
			return
		}
		var r reach
		r.try(t, p, doc)
		r.try(t, p, m.Document(c.Wishes...))
	})
}

func TestWhatIsExcludedIsNotParsed(t *testing.T) {
	p := compile(t, windowsFilterOfTest)
	if ok, err := p.True(eventOf(`{"no":"json"`)); ok || err != nil {
		t.Errorf("%v %v", ok, err)
	}
	if _, err := p.True(eventOf(`{"eventID": "4625"`)); err == nil {
		t.Error("what may hold the members is parsed")
	}
	if _, err := p.True(eventOf(`{"event\u0049D": 1`)); err == nil {
		t.Error("with \\u nothing is known from the bytes")
	}
}
