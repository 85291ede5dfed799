package expression

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestNeeds(t *testing.T) {
	for src, want := range map[string]string{
		`rule.id == 'abc'`:                       "`\"id\"` being `abc`",
		`'abc' == rule.id`:                       "`\"id\"` being `abc`",
		`rule.id == 5`:                           "`\"id\"`",
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
		`rule.level > 3`:                         "`\"level\"`",
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
		`1 < aaa < 3`:                            "`\"aaa\"`",
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

func TestPrefilterAgreesWithEvaluation(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	names := []string{"aa", "bb", "cc"}
	words := []string{"abc", "4625", "x", "fail2ban"}
	pick := func(from []string) string { return from[r.IntN(len(from))] }
	escaped := func(s string) string {
		if r.IntN(6) > 0 {
			return s
		}
		return fmt.Sprintf(`\u%04x`, s[0]) + s[1:]
	}
	var value func(depth int) string
	value = func(depth int) string {
		switch n := r.IntN(10); {
		case n < 4:
			return `"` + escaped(pick(words)) + `"`
		case n == 4:
			return pick([]string{"4625", "4625.0", "46.25e2", "true", "false", "null", "7"})
		case n < 7 && depth > 0:
			return "[" + value(depth-1) + "," + value(depth-1) + "]"
		case depth > 0:
			return `{"` + escaped(pick(names)) + `":` + value(depth-1) + `,"` + pick(names) + `":` + value(depth-1) + "}"
		}
		return `"` + pick(words) + `"`
	}
	path := func() string {
		return pick([]string{pick(names), pick(names) + "." + pick(names), pick(names) + "[0]", "origin." + pick(names), "event['" + pick(names) + "']"})
	}
	constant := func() string {
		return pick([]string{"'" + pick(words) + "'", "4625", "4625.0", "nil", "true", "['abc', '4625']"})
	}
	var condition func(depth int) string
	condition = func(depth int) string {
		switch n := r.IntN(14); {
		case n < 3 && depth > 0:
			return "(" + condition(depth-1) + " and " + condition(depth-1) + ")"
		case n < 6 && depth > 0:
			return "(" + condition(depth-1) + " or " + condition(depth-1) + ")"
		case n == 6 && depth > 0:
			return "not (" + condition(depth-1) + ")"
		case n == 7:
			return path()
		case n == 8:
			return pick([]string{"any", "one", "all", "none"}) + "(" + path() + ", # " + pick([]string{"==", "!=", "contains"}) + " '" + pick(words) + "')"
		case n == 9:
			return "'" + pick(words) + "' in " + path()
		case n == 10:
			return path() + pick([]string{" in ", " not in "}) + pick([]string{"['abc', 'x']", "['4625']", "[4625, 'abc']", "[]", "cc"})
		case n == 11:
			return pick([]string{"has(" + pick(names) + "." + pick(names) + ")", "is_public(" + path() + ")", "hasPrefix(" + path() + ", 'ab')", "lower(" + path() + ") == 'abc'", path() + " matches '46.*'", "(" + path() + " ?? 'x') == 'x'"})
		}
		return path() + pick([]string{" == ", " != ", " < ", " >= ", " contains ", " startsWith "}) + constant()
	}
	excluded := 0
	for range 4000 {
		src := condition(3)
		p, _ := Compile(src, Env{})
		if p == nil {
			continue
		}
		for range 10 {
			doc := `{"aa":` + value(2) + `,"bb":` + value(2) + `,"dd":` + value(2) + `}`
			checkPrefilter(t, p, doc)
			if !p.Need().Met([]byte(doc)) {
				excluded++
			}
		}
	}
	if excluded < 1000 {
		t.Errorf("only %d documents were excluded", excluded)
	}
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
