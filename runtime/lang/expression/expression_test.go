package expression

import (
	"strings"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

var stream = &event.Stream{Source: "source.file.alerts", Generation: "g", File: "/a.json"}

func eventOf(raw string) *event.Event {
	return event.New(stream, 7, []byte(raw), time.Unix(1, 0).UTC(), ack.Token{})
}

func valueOf(t testing.TB, raw string) document.Value {
	t.Helper()
	d, err := document.Parse([]byte(raw))
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return d.Root()
}

func testEnv(t testing.TB) Env {
	return Env{
		Vars:    valueOf(t, `{"nothing":null,"own":["9.9.9.0/24","2001:db8::/32"],"level":7,"name":"x"}`),
		Locals:  valueOf(t, `{"list":["4625","4719"],"yes":true,"exclude_private":true}`),
		Unknown: map[string]string{"var.brokers": "brokers", "local.first": "brokers"},
		Now:     func() time.Time { return time.Date(2025, 6, 2, 13, 47, 23, 0, time.UTC) },
	}
}

func compile(t testing.TB, src string) *Program {
	t.Helper()
	p, problems := Compile(src, testEnv(t))
	if p == nil {
		t.Fatalf("%s: %+v", src, problems)
	}
	return p
}

const alert = `{"rule":{"level":7,"id":"5710","groups":["sshd","fail2ban"],"mail":false,"nothing":null},
"data":{"win":{"system":{"eventID":"4625"}},"srcip":"1.1.1.77","in":1,"not":2,"n":20000000000000000000,"f":7.0,"list":[{"a":1,"b":"x"},{"a":3,"b":"y"},{"a":2,"b":"x"}]},
"count":5,"type":"t","map":{"a":1},"len":3,"now":"n","agent":{"id":"007","name":"edge-birch"},
"timestamp":"2025-06-02T21:47:23.199+0800","@timestamp":"x","agent-name":"dash"}`

func TestExpressions(t *testing.T) {
	for _, test := range []struct{ src, want string }{
		{`data.win.system.eventID in local.list`, `true`},
		{`data.win.system.eventID == 4625`, `true`},
		{`4625 in ["4625"]`, `true`},
		{`"4625" in [4625.0]`, `false`},
		{`4625 in [4625.0]`, `true`},
		{`'fail2ban' in rule.groups`, `true`},
		{`rule.groups contains 'sshd'`, `true`},
		{`'level' in rule`, `true`},
		{`data.n == 20000000000000000000`, `true`},
		{`data.n == 20000000000000000001`, `false`},
		{`data.n + 1`, `20000000000000000001`},
		{`20000000000000000000 > 19999999999999999999`, `true`},
		{`data.f == 7`, `true`},
		{`data.f == "7"`, `false`},
		{`0.1 == 0.10`, `true`},
		{`1_000`, `1000`}, {`0xff`, `255`}, {`.5`, `0.5`},
		{`count + len`, `8`},
		{`[type, map.a, now, data.in, data.not]`, `["t",1,"n",1,2]`},
		{`true and nil`, `false`}, {`nil or true`, `true`}, {`not nil`, `true`},
		{`(not rule.mail) == true`, `true`},
		{`not (rule.level == 8)`, `true`},
		{`rule.level not in [1, 2]`, `true`},
		{`nope not in [1, 2]`, `true`},
		{`(rule.level not in [1, 2]) == true`, `true`},
		{`rule.nothing == nil`, `true`},
		{`has(rule.nothing)`, `true`}, {`has(rule.nope)`, `false`}, {`has(data?.srcip)`, `true`},
		{`nope.deeper.still ?? 'unknown'`, `"unknown"`},
		{`event["agent-name"]`, `"dash"`},
		{`event['@timestamp'] + '!'`, `"x!"`},
		{`origin.agent.id`, `"007"`}, {`int(agent.id)`, `7`},
		{`meta.id`, `"g@7"`}, {`meta.position.offset`, `7`}, {`meta.source`, `"source.file.alerts"`},
		{`var.level`, `7`}, {`var.nothing`, `null`}, {`var.own[0]`, `"9.9.9.0/24"`},
		{`rule.groups[0]`, `"sshd"`}, {`rule.groups[-1]`, `"fail2ban"`}, {`rule.groups[9]`, `null`},
		{`rule.groups[1:]`, `["fail2ban"]`}, {`rule.groups[:1]`, `["sshd"]`}, {`'grüße'[2:4]`, `"üß"`}, {`'grüße'[-1]`, `"e"`},
		{`data.list[0].b`, `"x"`},
		{`any(rule.groups, # startsWith 'fail')`, `true`},
		{`all(data.list, .a > 0)`, `true`}, {`one(data.list, .a == 3)`, `true`}, {`none(data.list, .a > 3)`, `true`},
		{`map(data.list, .a)`, `[1,3,2]`}, {`map(data.list, #index)`, `[0,1,2]`},
		{`filter(data.list, .b == 'x') | map(.a)`, `[1,2]`},
		{`find(data.list, .b == 'y').a`, `3`}, {`findIndex(data.list, .a == 9)`, `null`}, {`findLastIndex(data.list, .b == 'x')`, `2`}, {`findLast(data.list, .b == 'x').a`, `2`},
		{`count(data.list, .b == 'x')`, `2`}, {`sum(data.list, .a)`, `6`}, {`sum([1, 2.5])`, `3.5`},
		{`groupBy(data.list, .b)`, `{"x":[{"a":1,"b":"x"},{"a":2,"b":"x"}],"y":[{"a":3,"b":"y"}]}`},
		{`sortBy(data.list, .a, 'desc') | map(.a)`, `[3,2,1]`},
		{`reduce([1,2,3], #acc + #)`, `6`}, {`reduce([1,2,3], #acc + #, 10)`, `16`}, {`reduce([], #acc + #)`, `null`},
		{`map(1..2, map(1..2, # * 10))`, `[[10,20],[10,20]]`},
		{`let x = rule.level; x + 1`, `8`}, {`let x = rule; x.level`, `7`}, {`let x = rule.level + 1; x * x > 63`, `true`},
		{`rule.level > 3 ? 'high' : 'low'`, `"high"`}, {`if nope { 1 } else { 2 }`, `2`},
		{`1 < 2 < 3`, `true`},
		{`1..3`, `[1,2,3]`}, {`3..1`, `[]`},
		{`{'a': 1, b: rule.level, (agent.id): nil}`, `{"a":1,"b":7,"007":null}`},
		{`6 / 4`, `1.5`}, {`6 / 3`, `2`}, {`1 / 0`, `null`}, {`7 % 4`, `3`}, {`7 % 0`, `null`}, {`2 ** 10`, `1024`}, {`-rule.level`, `-7`},
		{`9223372036854775807 + 1`, `9223372036854775808`}, {`-9223372036854775807 - 2`, `-9223372036854775809`}, {`4611686018427387904 * 4`, `18446744073709551616`},
		{`lower('ABC') | trim() | split('b')`, `["a","c"]`},
		{`upper(rule.id)`, `"5710"`}, {`lower(rule.level)`, `"7"`},
		{`replace('aaa', 'a', 'b', 2)`, `"bba"`}, {`repeat('ab', 2)`, `"abab"`}, {`join(rule.groups, ', ')`, `"sshd, fail2ban"`},
		{`indexOf('grüße', 'ß')`, `3`}, {`lastIndexOf('abab', 'x')`, `-1`},
		{`trimPrefix('ab', 'a') + trimSuffix('ab', 'b')`, `"ba"`},
		{`regex_find(full, 'x') == nil`, `true`}, {"regex_find('user=bob x', `user=(\\w+)`)", `"bob"`}, {"regex_replace('a1b22', `\\d+`, '<$0>')", `"a<1>b<22>"`},
		{"agent.name matches `^edge-`", `true`},
		{`json(rule.groups)`, `"[\"sshd\",\"fail2ban\"]"`}, {`fromJSON('{"a":[1]}').a[0]`, `1`}, {`fromJSON('{')`, `null`},
		{`base64('hi') + unbase64('aGk=')`, `"aGk=hi"`}, {`unbase64('%')`, `null`},
		{`sha256('a')[0:8]`, `"ca978112"`}, {`md5('a')[0:8]`, `"0cc175b9"`}, {`sha1('a')[0:8]`, `"86f7e437"`}, {`hmac_sha256('k', 'a')[0:8]`, `"78da9151"`},
		{`max(1, [3, 2], nil)`, `null`}, {`max([1, [3], nil])`, `3`}, {`min(data.list | map(.a))`, `1`}, {`mean([1, 2])`, `1.5`}, {`median([3, 1, 2])`, `2`}, {`mean([])`, `null`},
		{`len('grüße') + len(rule.groups) + len(nil)`, `7`},
		{`[type(1), type(1.5), type('a'), type([]), type({}), type(nil), type(true), type(now()), type(duration('1s'))]`, `["int","float","string","array","map","nil","bool","time","duration"]`},
		{`abs(-3) + ceil(1.2) + floor(1.8) + round(2.5)`, `9`}, {`int(3.9)`, `3`}, {`int('-3')`, `-3`}, {`int('x')`, `null`}, {`float('1.50')`, `1.5`}, {`string(1.50)`, `"1.50"`},
		{`keys(map)`, `["a"]`}, {`values(map)`, `[1]`}, {`toPairs(map)`, `[["a",1]]`}, {`fromPairs([['a', 1]])`, `{"a":1}`},
		{`reverse([1,2])`, `[2,1]`}, {`uniq([1, 1.0, '1', nil, nil, 'a', 'a'])`, `[1,null,"a"]`}, {`concat([1],[2])`, `[1,2]`}, {`flatten([1,[2,[3]]])`, `[1,2,3]`}, {`sort([3,1,2])`, `[1,2,3]`}, {`sort(['b', 1, nil], 'desc')`, `["b",1,null]`},
		{`first([1,2]) + last([1,2])`, `3`}, {`take([1,2,3], 2)`, `[1,2]`}, {`get(rule, 'level')`, `7`},
		{`bitand(6, 3) + bitor(6, 3) + bitxor(6, 3) + bitnand(6, 3) + bitnot(0) + bitshl(1, 3) + bitshr(8, 1) + bitushr(8, 2)`, `31`},
		{`time(timestamp)`, `"2025-06-02T21:47:23.199+08:00"`},
		{`format_time(timestamp, '%Y.%m.%d %H', 'UTC')`, `"2025.06.02 13"`},
		{`format_time('2025-06-02T13:47:23.1234567Z', '%F %T.%L %:z %z %j %a %e %% %V %N')`, `"2025-06-02 13:47:23.123 +00:00 +0000 153 Mon  2 % 23 123456700"`},
		{`time(1748872043) == time('2025-06-02T13:47:23Z')`, `true`}, {`time(1748872043000) == now()`, `true`}, {`time(1748872043.5) > now()`, `true`},
		{`time('2025-02-30T00:00:00Z')`, `null`}, {`time('x')`, `null`}, {`time('2025-06-02 13:47:23') == now()`, `true`},
		{`now() - time(timestamp) < duration('1m')`, `true`}, {`now() + duration('1d') > now()`, `true`}, {`duration('1h') / duration('30m')`, `2`}, {`duration('1h') * 2`, `"2h0m0s"`},
		{`date('02.06.2025', '02.01.2006', 'Europe/Berlin')`, `"2025-06-02T00:00:00+02:00"`}, {`timezone('Nowhere/At' + 'All' + rule.id)`, `null`}, {`now('Europe/Berlin')`, `"2025-06-02T15:47:23+02:00"`},
		{`is_public(data.srcip) and not in_cidr(data.srcip, var.own)`, `true`},
		{`is_public(data.srcip) and not in_cidr(data.srcip, var.nothing)`, `true`},
		{`in_cidr('9.9.9.9', var.own)`, `true`}, {`in_cidr('::ffff:9.9.9.9', '9.9.9.0/24')`, `true`}, {`in_cidr('9.9.9.9', '9.9.9.9')`, `true`}, {`in_cidr('64:ff9b::909:909', var.own)`, `true`},
		{`in_cidr(data.srcip, ['1.1.' + string(data.in) + '.0/24'])`, `true`},
	} {
		p := compile(t, test.src)
		v, err := p.Value(eventOf(alert))
		if err != nil {
			t.Errorf("%s: %v", test.src, err)
			continue
		}
		if got := string(v.AppendJSON(nil)); got != test.want {
			t.Errorf("%s\n got %s\nwant %s", test.src, got, test.want)
		}
	}
}

// What is the same for every event is refused at its place when it is loaded.
func TestAConstantWithoutEndIsRefused(t *testing.T) {
	src := `len(rule.groups) > 1 and map(1..10000, map(1..10000, #)) != []`
	p, problems := Compile(src, testEnv(t))
	if p != nil || len(problems) != 1 || !strings.Contains(problems[0].Message, "more than 64 MiB") || src[problems[0].Start:] != `map(1..10000, map(1..10000, #)) != []` {
		t.Errorf("%+v", problems)
	}
}

func TestEventErrors(t *testing.T) {
	for src, want := range map[string]string{
		`data.srcip`:                                   "a condition must be true, false or nil; this is a text",
		`rule.level and true`:                          "this is a number",
		`any(rule.groups, #)`:                          "this is a text",
		`len(repeat(agent.id, 100000000)) > 0`:         "more than 16 MiB",
		`len(map(1..data.big, repeat('x', 100))) > 0`:  "more than 64 MiB",
		`any(1..data.big, any(1..data.big, # == nil))`: "takes too long: any(1..data.big, any(1..data.big, # == nil))",

		// Small in memory, without end when they are written.
		`len(map(1..data.big, 1..9999)) > 0`:                                  "more than 64 MiB",
		`len(map(1..data.big, rule)) > 0`:                                     "more than 64 MiB",
		`len(reduce(1..data.big, [#acc, #acc], rule)) > 0`:                    "more than 64 MiB",
		`len(reduce(1..data.big, {{a: #acc, b: #acc}}, rule)) > 0`:            "more than 64 MiB",
		`len(reduce(1..data.big, concat(#acc, #acc), [rule])) > 0`:            "more than 64 MiB",
		`len(flatten(map(1..99, map(1..data.big, rule)))) > 0`:                "more than 64 MiB",
		`len(json(groupBy(1..data.big, string(rule.groups)))) > 0`:            "more than 64 MiB",
		`len(sortBy(map(1..data.big, data), #.srcip)) > 0`:                    "more than 64 MiB",
		`let x = reduce(1..data.big, [#acc, #acc], 1); len(string(x)) > 9`:    "more than 64 MiB",
		`len(toPairs(reduce(1..25, {{a: #acc, b: #acc}}, data.srcip))) > 9`:   "more than 64 MiB",
		`len(map(1..data.big, data.srcip[0:1] + repeat('y', 64))) > 0`:        "more than 64 MiB",
		`any([map(1..data.big, rule.groups)], any(#, any(#, # == data.big)))`: "more than 64 MiB",
	} {
		p := compile(t, src)
		_, err := p.True(eventOf(`{"data":{"srcip":"x","big":1000000},"rule":{"level":1,"groups":["a"]},"agent":{"id":"007"}}`))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", src, err, want)
		}
		var failure *event.Failure
		if f, ok := err.(*event.Failure); ok {
			failure = f
		}
		if failure == nil || failure.Code != event.CodeExpression {
			t.Errorf("%s: %#v is not a failure of the expression", src, err)
		}
	}
	if _, err := compile(t, `rule.level > 3`).True(eventOf(`{"rule":{"level":4`)); err == nil || err.(*event.Failure).Code != event.CodeNotJSON {
		t.Errorf("broken document: %v", err)
	}
	if ok, err := compile(t, `true`).True(eventOf(`{"rule":`)); !ok || err != nil {
		t.Errorf("a constant looks at no document: %v %v", ok, err)
	}
}
