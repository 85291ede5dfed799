package expression

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/expr-lang/expr"
	"pgregory.net/rapid"

	"github.com/wazuh-etl/etl/runtime/document"
)

func FuzzCompile(f *testing.F) {
	for _, src := range []string{
		windowsFilter, fail2banFilter, `let x = 1; x`, `map(a, #.b)`, `a | filter(# > 1) | len()`, `{'a': 1}['a']`, `a?.b[1:2]`, `99999999999999999999..1`, "a matches `[`",
		`reduce(a, #acc + #, 0)`, `;`, `if a {1} else {2}`, `::len(a)`, `not not a in b`, `1e999 > 0x`, `groupBy(a, .b)`, `{99999999999999999999: 1}`, `b"x"`,
	} {
		f.Add(src, alert)
	}
	f.Fuzz(func(t *testing.T, src, doc string) {
		p, problems := Compile(src, testEnv(t))
		for _, problem := range problems {
			if problem.Start < 0 || problem.End < problem.Start || problem.End > len(src) || problem.Message == "" {
				t.Fatalf("%q: %+v", src, problem)
			}
		}
		if p == nil {
			if !Failed(problems) {
				t.Fatalf("%q: no program and no error", src)
			}
			return
		}
		for _, r := range p.Reads() {
			if r.Start < 0 || r.End < r.Start || r.End > len(src) {
				t.Fatalf("%q: %+v", src, r)
			}
		}
		v, err := p.Value(eventOf(doc))
		if err == nil {
			v.AppendJSON(nil)
		}
		checkPrefilter(t, p, doc)
		ok, errTrue := p.True(eventOf(doc))
		if why := p.Why(eventOf(doc)); len(why) > 0 && errTrue == nil && ok || len(why) == 0 && errTrue == nil && !ok && err == nil {
			t.Fatalf("%q is %v: %q", src, ok, why)
		}
		if ok && (err != nil || errTrue != nil || !v.IsTrue()) {
			t.Fatalf("%q: true, but %v %v", src, v.Any(), err)
		}
	})
}

// A set of known values agrees with == on each of them.
func TestSetAgreesWithEquality(t *testing.T) {
	words := []string{`0`, `-0`, `0.0`, `7`, `7.0`, `70e-1`, `0.7e1`, `4625`, `4625.0`, `-7`, `1e400`, `10e399`, `20000000000000000000`, `2e19`, `20000000000000000000.0`, `1e-400`, `0e5`,
		`"7"`, `"7.0"`, `"4625"`, `" 4625"`, `"2e19"`, `""`, `"a"`, `true`, `false`, `null`, `[7]`, `["7"]`, `{"a":7}`, `{"a":7.0}`}
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.SampledFrom(words), 0, 6).Draw(t, "list")
		word := rapid.SampledFrom(words).Draw(t, "value")
		read := func(s string) document.Value {
			d, err := document.Parse([]byte(s))
			if err != nil {
				t.Fatal(err)
			}
			return d.Root()
		}
		values, v, want := newSet(), read(word), false
		for _, w := range list {
			values.add(read(w))
			want = want || !v.IsNil() && document.Equal(v, read(w))
		}
		if got := values.has(v); got != want {
			t.Fatalf("%s in %v: %v, want %v", word, list, got, want)
		}
	})
}

// Where all operands are there and of the kinds that expr wants, this language
// means what expr means.
func TestAgreesWithExprOnWellTypedInput(t *testing.T) {
	env := map[string]any{
		"i": 7, "j": 3, "f": 2.5, "s": "abc", "u": "b", "yes": true, "no": false,
		"is": []any{1, 2, 3, 2}, "ss": []any{"a", "b", "abc"}, "m": map[string]any{"a": 1, "b": "x"},
		"os": []any{map[string]any{"a": 1}, map[string]any{"a": 5}},
	}
	raw, err := json.Marshal(env)
	if err != nil {
		t.Fatal(err)
	}
	numbers := []string{"i", "j", "f", "1", "2", "len(s)", "len(is)", "sum(is)", "max(is)", "count(is, # > 1)", "m.a", "is[1]", "is[-1]", "indexOf(s, u)", "find(is, # > 1)", "findLastIndex(is, # == 2)", "reduce(is, #acc + #)", "abs(-i)", "(i + j)", "(i * j)", "(i - f)", "(i % j)", "bitor(i, j)"}
	texts := []string{"s", "u", `"abc"`, `"b"`, "m.b", "upper(s)", "s[1:]", "ss[0]", "first(ss)", "last(ss)", "(s + u)", "trim(s, u)", "join(ss, u)", "replace(s, u, s)", "repeat(u, j)"}
	lists := []string{"is", "filter(is, # > 1)", "map(is, # + 1)", "[1, 2]", "is[1:3]", "1..3", "sort(is)", "uniq(is)", "reverse(is)", "concat(is, [9])", "map(os, .a)", "take(is, 2)", "flatten([is, [1]])"}
	conditions := []string{"yes", "no", "true", "any(is, # == 2)", "all(is, # > 0)", "none(ss, # == u)", "one(is, # == 2)", `"a" in m`, "s matches 'b'", "s contains u", "s startsWith u", "s endsWith 'c'", "hasPrefix(s, u)"}
	pick := func(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }
	var condition func(r *rand.Rand, depth int) string
	condition = func(r *rand.Rand, depth int) string {
		if depth == 0 {
			return pick(r, conditions)
		}
		switch r.IntN(8) {
		case 0:
			return "not (" + condition(r, depth-1) + ")"
		case 1, 2:
			return "(" + condition(r, depth-1) + pick(r, []string{" and ", " or ", " && ", " || "}) + condition(r, depth-1) + ")"
		case 3:
			return pick(r, numbers) + pick(r, []string{" == ", " != ", " < ", " <= ", " > ", " >= "}) + pick(r, numbers)
		case 4:
			return pick(r, texts) + pick(r, []string{" == ", " != ", " < ", " >= ", " contains ", " startsWith "}) + pick(r, texts)
		case 5:
			return pick(r, numbers) + pick(r, []string{" in ", " not in "}) + pick(r, lists)
		case 6:
			return pick(r, texts) + " in ss"
		}
		return "(" + condition(r, depth-1) + " ? " + condition(r, depth-1) + " : " + condition(r, depth-1) + ")"
	}
	r := rand.New(rand.NewPCG(1, 2))
	compared := 0
	for range 3000 {
		src := condition(r, 3)
		program, err := expr.Compile(src, expr.Optimize(false)) // optimized, findLastIndex(x, c) == findLastIndex(x, c) is false
		if err != nil {
			continue
		}
		want, err := expr.Run(program, env)
		if err != nil {
			continue // a type that expr can't put together
		}
		p, problems := Compile(src, Env{})
		if p == nil {
			t.Fatalf("%s: %+v", src, problems)
		}
		got, err := p.True(eventOf(string(raw)))
		if err != nil || got != want {
			t.Fatalf("%s: %v %v, expr says %v", src, got, err, want)
		}
		compared++
	}
	if compared < 1000 {
		t.Errorf("only %d expressions were well-typed", compared)
	}
}
