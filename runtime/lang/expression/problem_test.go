package expression

import (
	"strings"
	"testing"
)

func TestProblems(t *testing.T) {
	for _, test := range []struct {
		src        string
		at         string // the text that is pointed at
		message    string
		suggestion string
	}{
		{``, ``, "an expression is missing", ""},
		{`not data.x == 'y'`, `not data.x == 'y'`, "`not` binds tighter than `==`: this compares `not data.x`", "write data.x != 'y', or not (data.x == 'y')"},
		{`!data.x == 'y'`, ``, "`!` binds tighter", "not (data.x"},
		{`a and not x in [1]`, ``, "`not` binds tighter than `in`", "write x not in [1], or not (x in [1])"},
		{`not x in ['a'] or y`, `not x in ['a']`, "`not` binds tighter than `in`", "write x not in ['a'], or not (x in ['a'])"},
		{`not x == (f['a'])`, ``, "`not` binds tighter than `==`", "write x != (f['a']), or not (x == (f['a']))"},
		{`(not x in {a: [1]})`, `not x in {a: [1]}`, "`not` binds tighter than `in`", "write x not in {a: [1]}, or not (x in {a: [1]})"},
		{`not (a) contains 'b'`, ``, "`not` binds tighter than `contains`", "not (("},
		{`not a > 3`, ``, "`not` binds tighter than `>`", "write not (a > 3)"},
		{`a = 1`, `=`, "unexpected `=`", "write == to compare"},
		{`a === 1`, ``, "unexpected `=`", "write =="},
		{"a == 1 # why\nand b", `#`, "unexpected `#`", "comments in expressions are //"},
		{`a & b`, ``, "unexpected `&`", "write and"},
		{`a AND b`, `AND`, "unexpected `AND`", "lower case"},
		{`a <> b`, `>`, "unexpected `>`", "write !="},
		{`(a == 1`, `(`, "`(` is never closed", ""},
		{`a == `, ``, "ends too early", ""},
		{`a == 'x`, ``, "the text is not closed", ""},
		{`a == “x”`, `“`, "is not part of the language", "straight quotes"},
		{`@timestamp > 1`, `@`, "is not part of the language", "event['@timestamp']"},
		{`bogus(3)`, `bogus(3)`, "there is no function called bogus", ""},
		{`is_publik(data.srcip)`, ``, "there is no function called is_publik", "did you mean is_public?"},
		{`data.x.lower()`, ``, "members of an event can't be called: lower", "write lower(data.x)"},
		{`lower()`, ``, "lower takes one argument; here are 0", "write lower(text)"},
		{`split('a')`, ``, "split takes 2 to 3 arguments; here are 1", ""},
		{`max()`, ``, "max takes at least 1", ""},
		{`count()`, ``, "", ""},
		{`has(1)`, ``, "has takes the path of a member", ""},
		{`var.nmae == 1`, `var.nmae`, "there is no variable called nmae", "did you mean var.name?"},
		{`local.lst`, `local.lst`, "there is no local called lst", "did you mean local.list?"},
		{`'x' in var.brokers`, `var.brokers`, "var.brokers has no value", "--var brokers"},
		{`x in local.first`, `local.first`, "local.first needs var.brokers, which has no value", ""},
		{"a matches `[`", "`[`", "this is no regular expression", ""},
		{`in_cidr(a, '10.0.0.0/33')`, `'10.0.0.0/33'`, `"10.0.0.0/33" is no network`, "192.0.2.0/24"},
		{`in_cidr(a, ['10.0.0.0/8', 'x'])`, `'x'`, `"x" is no network`, ""},
		{`in_cidr(a, var.name)`, `var.name`, `"x" is no network`, ""},
		{`in_cidr(a, 10)`, `10`, "a network is a text", ""},
		{`a in 'text'`, `'text'`, "`in` looks into a list or an object; this is a text", "write contains"},
		{`format_time(timestamp, '%Q')`, `'%Q'`, "format_time knows no %Q", ""},
		{`format_time(timestamp, '%Y', 'Mars/Olympus')`, `'Mars/Olympus'`, "there is no time zone called Mars/Olympus", ""},
		{`sort(a, 'up')`, `'up'`, "an order is 'asc' or 'desc'", ""},
		{`a and 5`, `5`, "a condition is true or false; this is a number", ""},
		{`lower(a) or b`, `lower(a)`, "a condition is true or false; this is a text", ""},
		{`any(a, 'x')`, `'x'`, "a condition is true or false; this is a text", ""},
		{`repeat('x', 1000000000)`, ``, "this fails for every event", ""},
		{`# > 1`, ``, "unexpected `#`", ""},
		{`map(a, #acc)`, ``, "there is no #acc here", ""},
		{`let event = 1; event`, ``, "event is a reserved name", ""},
		{`b'bytes'`, ``, "not part of the language", ""},
		{`1 2`, `2`, "unexpected `2`", ""},
		{strings.Repeat("(", 70000), ``, "more than 64 KiB", ""},
	} {
		name := test.src[:min(len(test.src), 40)]
		p, problems := Compile(test.src, testEnv(t))
		if p != nil || len(problems) == 0 {
			t.Errorf("%s: no error: %+v", name, problems)
			continue
		}
		first := problems[0]
		if first.Warning || !strings.Contains(first.Message, test.message) || !strings.Contains(first.Suggestion, test.suggestion) {
			t.Errorf("%s: %+v", name, first)
		}
		if got := test.src[first.Start:first.End]; test.at != "" && got != test.at {
			t.Errorf("%s: points at %q, want %q", name, got, test.at)
		}
	}
}

func TestWarnings(t *testing.T) {
	for src, want := range map[string]string{
		`agent-name == 'x'`:            "event['agent-name']",
		`data.agent-name == 'x'`:       "data['agent-name']",
		`a == null`:                    "write nil",
		`meta.erorr.code == 'x'`:       "did you mean meta.error?",
		`in_cidr(a, '10.1.2.3/8')`:     "write 10.0.0.0/8",
		`in_cidr(a, '2001:db8::1/32')`: "write 2001:db8::/32",
		`'a' + 1 == a`:                 "",
	} {
		p, problems := Compile(src, testEnv(t))
		if p == nil || len(problems) != 1 || !problems[0].Warning || !strings.Contains(problems[0].Suggestion, want) {
			t.Errorf("%s: %+v", src, problems)
		}
	}
	for _, src := range []string{`a.x - b.y`, `data.count - 1`, `let x = 1; let y = 2; y - x`, `(not a) == b`, `(not a.b) in [true]`, `a not in [1] and not b`, `not a and b == 1`, `not a or not (b == 1)`, `a == not b`, `in_cidr(a, '10.0.0.1')`} {
		if p, problems := Compile(src, testEnv(t)); p == nil || len(problems) > 0 {
			t.Errorf("%s: %+v", src, problems)
		}
	}
}

func TestSeveralProblemsAtOnce(t *testing.T) {
	_, problems := Compile(`bogus(1) and var.nope and in_cidr(a, 'x')`, testEnv(t))
	if len(problems) != 3 {
		t.Errorf("%+v", problems)
	}
	if _, problems = Compile(`1 < bogus(1) < 3`, testEnv(t)); len(problems) != 1 {
		t.Errorf("%+v", problems)
	}
}

func TestPositionsAreBytes(t *testing.T) {
	src := `'é€' == a and bogus(1)`
	_, problems := Compile(src, testEnv(t))
	if len(problems) != 1 || !strings.HasPrefix(src[problems[0].Start:], "bogus") {
		t.Errorf("%+v", problems)
	}
}

func TestConditionRefusesWhatIsNone(t *testing.T) {
	for _, src := range []string{`'x'`, `1 + 1 > 0 ? 'a' : 'b'`, `lower(a)`, `filter(a, # == 1)`, `var.level`, `{}`} {
		if p, problems := Condition(src, testEnv(t)); p != nil || !Failed(problems) {
			t.Errorf("%s: %+v", src, problems)
		}
	}
	for _, src := range []string{`a`, `nil`, `true`, `local.yes`, `a ?? false`, `find(a, # == 1)`} {
		if p, problems := Condition(src, testEnv(t)); p == nil {
			t.Errorf("%s: %+v", src, problems)
		}
	}
}

func TestReads(t *testing.T) {
	for src, want := range map[string]string{
		`data.win.system.eventID in local.list and rule.groups[0] == 'x'`: "event.data.win.system.eventID event.rule.groups",
		`event['@timestamp'] == event[local.list[0]]`:                     "event.@timestamp event.4625",
		`event[agent.id]`:                     "event.agent.id event",
		`let w = data.win; w.system.x == w.y`: "event.data.win.system.x event.data.win.y",
		`any(rule.groups, # == data.x)`:       "event.rule.groups event.data.x",
		`origin.id + meta.id`:                 "origin.id meta.id",
		`json(event)`:                         "event",
		`has(a?.b)`:                           "event.a.b",
		`local.yes`:                           "",
	} {
		var got []string
		for _, r := range compile(t, src).Reads() {
			got = append(got, strings.Join(append([]string{string(r.Root)}, r.Names...), "."))
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %s, want %s", src, s, want)
		}
	}
}
