package expression

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/expr-lang/expr/builtin"

	"github.com/wazuh-etl/etl/runtime/document"
)

var update = flag.Bool("update", false, "write the reference")

const referencePath = "../../../docs/reference/expressions.md"

// sample is one value of each kind that behaves differently.
type sample struct {
	name  string // as the reference shows it
	value document.Value
}

func samples(t testing.TB) []sample {
	number := func(s string) document.Value {
		v, ok := document.NewNumber(s)
		if !ok {
			t.Fatal(s)
		}
		return v
	}
	return []sample{
		{"nil", document.NewNull()},
		{"true", document.NewBool(true)},
		{"7", number("7")},
		{"7.0", number("7.0")},
		{`"7"`, document.NewText("7")},
		{`"30"`, document.NewText("30")},
		{`"ab"`, document.NewText("ab")},
		{`["7","ab"]`, valueOf(t, `["7","ab"]`)},
		{`{"ab":1}`, valueOf(t, `{"ab":1}`)},
		{"time", document.NewTime(time.Date(2025, 6, 2, 13, 47, 23, 0, time.UTC))},
		{"1h", document.NewDuration(time.Hour)},
	}
}

var binaryOperators = []string{"==", "!=", "<", "<=", ">", ">=", "in", "contains", "startsWith", "endsWith", "matches", "and", "or", "??", "+", "-", "*", "/", "%", "**", ".."}

// evaluate gives what src is for an event that is the object of a, b, c.
func evaluate(t testing.TB, src string, values ...document.Value) (document.Value, error) {
	t.Helper()
	var members []document.Member
	for i, v := range values {
		members = append(members, document.Member{Name: string(rune('a' + i)), Value: v})
	}
	return compile(t, src).Value(eventOf(`{}`).Derive("test", -1, document.NewObject(members)))
}

func shown(v document.Value, err error) string {
	if err != nil {
		return "error"
	}
	if v.IsNil() {
		return "nil"
	}
	s := string(v.AppendJSON(nil))
	switch v.Kind() {
	case document.Time:
		s = "time"
		if v.Time().Hour() != 13 {
			s = "time ± 1h"
		}
	case document.Duration:
		s = strings.Trim(s, `"`)
	}
	return strings.ReplaceAll(s, "|", `\|`)
}

func reference(t testing.TB) string {
	var b strings.Builder
	b.WriteString(referenceText)
	b.WriteString("\n## Functions\n\nA `?` marks what may be left out, `…` what may come again. *Of nil* is the result when an argument is nil.\n")
	for _, g := range groups {
		fmt.Fprintf(&b, "\n### %s\n\n| function | gives | of nil |\n| --- | --- | --- |\n", g.title)
		for _, fn := range g.functions {
			ofNil := "nil"
			switch {
			case fn.test != nil:
				ofNil = "false"
			case fn.args == "":
				ofNil = ""
			case fn.nils:
				least, _ := fn.arity()
				args := strings.Repeat("nil, ", least)
				v, err := evaluate(t, fn.name+"("+strings.TrimSuffix(args, ", ")+")")
				ofNil = shown(v, err)
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", fn.signature(), fn.doc, ofNil)
		}
	}
	b.WriteString("\n### Loops\n\nThe second argument is evaluated for each item: `#` is the item, `.name` its member, `#index` its number. " +
		"What is no list counts as an empty one.\n\n| function | gives | of nil |\n| --- | --- | --- |\n")
	var names []string
	for name := range loops {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "| `%s(%s)` | %s | %s |\n", name, loops[name].args, loops[name].doc, loops[name].ofNil)
	}
	b.WriteString("\n### Members\n\n| function | gives | of nil |\n| --- | --- | --- |\n" +
		"| `has(path)` | Whether the member is there; JSON null is. | false for a missing one, true for null |\n")
	b.WriteString("\n## Every operator with every kind\n\nLeft operands stand at the left, right ones on top. *error* is an error of the event.\n")
	all := samples(t)
	for _, op := range binaryOperators {
		fmt.Fprintf(&b, "\n### `%s`\n\n| |", op)
		for _, y := range all {
			fmt.Fprintf(&b, " `%s` |", y.name)
		}
		b.WriteString("\n| --- |" + strings.Repeat(" --- |", len(all)) + "\n")
		for _, x := range all {
			fmt.Fprintf(&b, "| `%s` |", x.name)
			for _, y := range all {
				v, err := evaluate(t, "a "+op+" b", x.value, y.value)
				fmt.Fprintf(&b, " %s |", shown(v, err))
			}
			b.WriteByte('\n')
		}
	}
	b.WriteString("\n### One operand\n\n| |")
	for _, x := range all {
		fmt.Fprintf(&b, " `%s` |", x.name)
	}
	b.WriteString("\n| --- |" + strings.Repeat(" --- |", len(all)) + "\n")
	for _, src := range []string{"not a", "-a", "+a", "a ? 1 : 2", "a[0]", "a.ab", "a[0:1]"} {
		fmt.Fprintf(&b, "| `%s` |", src)
		for _, x := range all {
			v, err := evaluate(t, src, x.value)
			fmt.Fprintf(&b, " %s |", shown(v, err))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestReferenceIsFresh(t *testing.T) {
	want := reference(t)
	if *update {
		if err := os.MkdirAll("../../../docs/reference", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(referencePath, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(referencePath)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/reference/expressions.md is stale: go test ./runtime/lang/expression -run Reference -update")
	}
}

// Every operator with every pair of kinds: what the reference says in words.
func TestOperatorsWithUnlikeOperands(t *testing.T) {
	all := samples(t)
	truth := func(v document.Value) (value, valid bool) {
		return v.IsTrue(), v.IsNil() || v.Kind() == document.Bool
	}
	for _, op := range binaryOperators {
		for _, x := range all {
			for _, y := range all {
				name := fmt.Sprintf("%s %s %s", x.name, op, y.name)
				got, err := evaluate(t, "a "+op+" b", x.value, y.value)
				checkFolded(t, "var.a "+op+" var.b", got, err, x.value, y.value)
				if op == "and" || op == "or" {
					l, okL := truth(x.value)
					r, okR := truth(y.value)
					if l == (op == "or") && okL { // decided
						r, okR = l, true
					}
					if (err == nil) != (okL && okR) || err == nil && got.IsTrue() != r {
						t.Errorf("%s: %s", name, shown(got, err))
					}
					continue
				}
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				anyNil := x.value.IsNil() || y.value.IsNil()
				bothNil := x.value.IsNil() && y.value.IsNil()
				switch op {
				case "==", "!=":
					swapped, _ := evaluate(t, "b "+op+" a", x.value, y.value)
					if got.IsTrue() != swapped.IsTrue() {
						t.Errorf("%s is not symmetric", name)
					}
					if anyNil && got.IsTrue() != (bothNil == (op == "==")) {
						t.Errorf("%s: %s", name, shown(got, err))
					}
					other, _ := evaluate(t, "a "+map[string]string{"==": "!=", "!=": "=="}[op]+" b", x.value, y.value)
					if got.IsTrue() == other.IsTrue() {
						t.Errorf("%s is not the negation", name)
					}
				case "<", "<=", ">", ">=", "in", "contains", "startsWith", "endsWith", "matches":
					if got.Kind() != document.Bool || anyNil && got.IsTrue() {
						t.Errorf("%s: %s", name, shown(got, err))
					}
				case "??":
					want := x.value
					if want.IsNil() {
						want = y.value
					}
					if !document.Equal(got, want) {
						t.Errorf("%s: %s", name, shown(got, err))
					}
				default:
					if anyNil && !got.IsNil() {
						t.Errorf("%s: %s", name, shown(got, err))
					}
				}
			}
		}
	}
}

// checkFolded holds what is computed at load to what is computed per event.
func checkFolded(t *testing.T, src string, want document.Value, wantErr error, values ...document.Value) {
	t.Helper()
	var members []document.Member
	for i, v := range values {
		members = append(members, document.Member{Name: string(rune('a' + i)), Value: v})
	}
	p, problems := Compile(src, Env{Vars: document.NewObject(members), Now: testEnv(t).Now})
	if p == nil {
		if !Failed(problems) {
			t.Errorf("%s: no program and no error", src)
		}
		return // found at load
	}
	got, err := p.Value(nil)
	if wantErr != nil || err != nil || !document.Equal(got, want) {
		t.Errorf("%s at load: %s %v, per event: %s %v", src, shown(got, err), err, shown(want, wantErr), wantErr)
	}
}

// Every function with nil and with every kind in every place: never a panic,
// never an error; nil gives nil or false; what does not fit gives nil, false
// or what the function gives.
func TestFunctionsWithUnlikeArguments(t *testing.T) {
	all := samples(t)
	for name, fn := range functions {
		least, most := fn.arity()
		if most < 0 {
			most = least + 1
		}
		for n := least; n <= most; n++ {
			var args []string
			for i := range n {
				args = append(args, string(rune('a'+i)))
			}
			call := name + "(" + strings.Join(args, ", ") + ")"
			constants := name + "(" + "var." + strings.Join(args, ", var.") + ")"
			combine(all, n, func(values []sample) {
				given := make([]document.Value, n)
				anyNil := false
				for i, s := range values {
					given[i] = s.value
					anyNil = anyNil || s.value.IsNil()
				}
				got, err := evaluate(t, call, given...)
				if n > 0 {
					checkFolded(t, constants, got, err, given...)
				}
				switch {
				case err != nil:
					t.Errorf("%s of %v: %v", call, names(values), err)
				case fn.test != nil:
					if got.Kind() != document.Bool || anyNil && got.IsTrue() {
						t.Errorf("%s of %v: %s", call, names(values), shown(got, err))
					}
				case anyNil && !fn.nils:
					if !got.IsNil() {
						t.Errorf("%s of %v: %s, want nil", call, names(values), shown(got, err))
					}
				case !got.IsNil() && fn.result != document.Missing && got.Kind() != fn.result:
					t.Errorf("%s of %v: %s is no %v", call, names(values), shown(got, err), fn.result)
				}
			})
		}
	}
}

func TestEveryFunctionOfExprIsThere(t *testing.T) {
	for _, name := range builtin.Names {
		if functions[name] == nil && loops[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
}

func names(values []sample) (all []string) {
	for _, v := range values {
		all = append(all, v.name)
	}
	return all
}

// combine calls do with every combination of n samples; of more than two
// places, the last ones run together.
func combine(all []sample, n int, do func([]sample)) {
	values := make([]sample, n)
	var place func(i int)
	place = func(i int) {
		if i == n {
			do(values)
			return
		}
		if i >= 2 {
			for j := i; j < n; j++ {
				values[j] = values[1]
			}
			do(values)
			return
		}
		for _, s := range all {
			values[i] = s
			place(i + 1)
		}
	}
	place(0)
}

// Every loop with every kind as its list and for its value.
func TestLoopsWithUnlikeArguments(t *testing.T) {
	all := samples(t)
	for name, l := range loops {
		for _, list := range all {
			for _, body := range all {
				src := name + "(a, b)"
				got, err := evaluate(t, src, list.value, body.value)
				isList := list.value.Kind() == document.Array
				unfit := !l.value && isList && !body.value.IsNil() && body.value.Kind() != document.Bool
				if (err != nil) != unfit {
					t.Errorf("%s of %s, %s: %s", src, list.name, body.name, shown(got, err))
				}
				if err == nil && !isList && shown(got, nil) != strings.Replace(l.ofNil, "start", "nil", 1) {
					t.Errorf("%s of %s: %s, want %s", src, list.name, shown(got, err), l.ofNil)
				}
			}
		}
	}
}

const referenceText = `# Expressions

<!-- Written by a test from the code: go test ./runtime/lang/expression -run Reference -update -->

A filter's ` + "`where`" + ` is one expression; in a template, each ` + "`{{ … }}`" + ` holds one. The grammar is that of
[expr](https://expr-lang.org/docs/language-definition). What it means is said here, because events are not typed: a
member may be missing, null, or a text where yesterday there was a number, and no such event may stop a pipeline.

## Names

A bare name is a member of the event: ` + "`rule.level`, `data.win.system.eventID`" + `. Five names win over members of that name:

| name | is |
| --- | --- |
| ` + "`event`" + ` | the whole document: ` + "`event['@timestamp']`, `event['agent-name']`" + ` |
| ` + "`origin`" + ` | the document as its source gave it |
| ` + "`meta`" + ` | ` + "`id source file offset received position sink error`" + ` |
| ` + "`var`" + `, ` + "`local`" + ` | what the pipeline file declares |

Members called like a function (` + "`count`, `type`, `map`, `now`" + `) or like an operator (` + "`data.in`, `data.not`" + `) are members all the same.

## Rules

1. **Nil.** What is missing is nil at any depth, and so is JSON null; ` + "`has(path)`" + ` tells the two apart. Arithmetic on nil and
   functions of nil give nil, comparisons and tests false. ` + "`x ?? y`" + ` is y where x is nil.
2. **Equality** is total: nil equals only nil, and ` + "`!=`" + ` is always the negation. Numbers are equal by exact decimal value
   (` + "`7 == 7.0`" + `, 20 digits and more), texts by code points, a number and a text if the text is the number as it is
   written (` + "`4625 == \"4625\"`" + `; not ` + "`4625.0`, `\" 4625\"`" + `), lists and objects member by member. ` + "`in`" + ` uses the same equality.
3. **Order**: number with number, number with a text that is a JSON number, text with text by code points, time with time,
   duration with duration. Everything else is false.
4. **Conditions** are true, false or nil, which counts as false. Anything else where a condition stands (` + "`where`, `and`, `or`, `not`, `?:`, `if`" + `,
   the condition of a loop) is the event's error.
5. **What does not fit counts as nil**: an operator or function given a kind that it can't take gives nil, or false if it is a
   test. Such cases are counted. Where a text is wanted, a number counts as it is written; ` + "`+`" + ` joins two texts or adds two
   numbers, and of a text and a number it is nil: write ` + "`string(n)` or `int(t)`" + `.
6. **Arithmetic** on whole numbers (` + "`+ - *`" + `) is exact at any size, everything else 64-bit floating point. A division by zero is nil.
7. **Lists and texts** are counted from 0, in characters; negative numbers count from the end. ` + "`list contains item`" + ` is ` + "`item in list`" + `.
8. **Limits.** A text of more than 16 MiB, or more than 64 MiB of texts, lists and objects (64 bytes an item, or as many as
   it has when it is written) and turns of loops (4 bytes each) in one evaluation, is the event's error.

` + "`not`" + ` binds tighter than every comparison, so ` + "`not a == b`" + ` is refused: write ` + "`a != b`, or `not (a == b)`" + `. Comments are ` + "`// …` and `/* … */`" + `.
Text stands in ` + "`'…'`, `\"…\"`" + ` or, without escapes, in backquotes, which suit regular expressions.
`
