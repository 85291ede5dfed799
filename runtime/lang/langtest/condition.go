// Package langtest makes up conditions and documents for tests that hold a fast
// way of evaluating equal to the plain one. What it makes is small and full of what
// goes wrong: escapes, members that come twice, numbers in many spellings, broken
// documents, and values that nearly fit.
package langtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// Condition is a made-up condition.
type Condition struct {
	Text   string
	Rules  []string // what it is made of: names out of Rules
	Wishes []Wish   // what a document may hold to make it true
}

// Wish is a member that a document may have.
type Wish struct {
	Path  []string
	Value string // JSON
}

// Maker makes things up. It is not safe for concurrent use.
type Maker struct{ *rand.Rand }

// New is a Maker whose things depend on seed only.
func New(seed uint64) *Maker { return &Maker{rand.New(rand.NewPCG(seed, 0x6c616e67))} }

var (
	paths = [][]string{
		{"rule", "id"}, {"rule", "level"}, {"rule", "groups"}, {"data", "srcip"}, {"data", "program_name"},
		{"data", "win", "system", "eventID"}, {"full_log"}, {"agent", "name"}, {"x"}, {"x", "y"}, {"x", "y", "x"},
		{"some-name"}, {"a/b"}, {"ä", "id"}, {"x", "say \"hi\""},
	}
	texts = []string{
		"4625", "4624", "46", "7", "abc", "abcdef", "x", "id", "fail2ban", "fail2ban.actions", "fail2ban.filter",
		"eventID", "a/b", "C:\\users\\abc", "ä", "say \"abc\"", "10.0.0.1", "8.8.8.8", "not an address", "}{", "true",
	}
	plain   = texts[:11]
	numbers = []string{"7", "7.0", "70e-1", "4625", "46.25e2", "-7", "0", "1e400", "99999999999999999999999", "0.1"}
)

func pick[T any](m *Maker, from []T) T { return from[m.IntN(len(from))] }

// path is a path as a condition writes it.
func path(names []string) string {
	var b strings.Builder
	for i, name := range names {
		switch {
		case strings.ContainsAny(name, `-/" ä`):
			if i == 0 {
				b.WriteString("event")
			}
			fmt.Fprintf(&b, "[%q]", name)
		case i > 0:
			b.WriteString("." + name)
		default:
			b.WriteString(name)
		}
	}
	return b.String()
}

// rule makes one kind of condition of a path and a text.
type rule struct {
	name string
	make func(m *Maker, p, text string) (condition, wish string)
}

func quote(s string) string { return fmt.Sprintf("%q", s) }

// rules are all kinds of conditions that look at one member. A wish without
// value is for a text.
var rules = []rule{
	{"==", func(m *Maker, p, s string) (string, string) { return p + " == " + quote(s), quote(s) }},
	{"== turned", func(m *Maker, p, s string) (string, string) { return quote(s) + " == " + p, quote(s) }},
	{"== number", func(m *Maker, p, s string) (string, string) { return p + " == 7", pick(m, numbers[:3]) }},
	{"== text of a number", func(m *Maker, p, s string) (string, string) {
		return p + ` == "4625"`, pick(m, []string{`4625`, `"4625"`})
	}},
	{"== nil", func(m *Maker, p, s string) (string, string) { return p + " == nil", "null" }},
	{"!= nil", func(m *Maker, p, s string) (string, string) { return p + " != nil", quote(s) }},
	{"!=", func(m *Maker, p, s string) (string, string) { return p + " != " + quote(s), quote(pick(m, texts)) }},
	{"in", func(m *Maker, p, s string) (string, string) {
		return fmt.Sprintf("%s in [%q, %q]", p, s, pick(m, texts)), quote(s)
	}},
	{"in of numbers", func(m *Maker, p, s string) (string, string) {
		return fmt.Sprintf("%s in [%q, 7]", p, s), pick(m, []string{quote(s), "7.0"})
	}},
	{"not in", func(m *Maker, p, s string) (string, string) {
		return fmt.Sprintf("%s not in [%q]", p, s), quote(pick(m, texts))
	}},
	{"text in", func(m *Maker, p, s string) (string, string) {
		return quote(s) + " in " + p, pick(m, []string{`["abc",` + quote(s) + `]`, `{` + quote(s) + `:1}`})
	}},
	{"contains", func(m *Maker, p, s string) (string, string) {
		return p + " contains " + quote(s), pick(m, []string{quote("1" + s + "2"), `[1,` + quote(s) + `]`})
	}},
	{"startsWith", func(m *Maker, p, s string) (string, string) { return p + " startsWith " + quote(s), quote(s + "2") }},
	{"endsWith", func(m *Maker, p, s string) (string, string) { return p + " endsWith " + quote(s), quote("1" + s) }},
	{"startsWith digits", func(m *Maker, p, s string) (string, string) { return p + ` startsWith "462"`, "4625" }},
	{"matches", func(m *Maker, p, s string) (string, string) { return p + ` matches "abc.*"`, `"1abcd"` }},
	{"matches digits", func(m *Maker, p, s string) (string, string) { return p + ` matches "46[0-9]"`, "4625" }},
	{"matches anyhow", func(m *Maker, p, s string) (string, string) { return p + ` matches "(?i)ABC"`, `"abc"` }},
	{"<", func(m *Maker, p, s string) (string, string) { return p + " < 9", pick(m, numbers) }},
	{">=", func(m *Maker, p, s string) (string, string) { return p + " >= 7", pick(m, numbers) }},
	{"< text", func(m *Maker, p, s string) (string, string) { return p + ` < "bbb"`, `"abc"` }},
	{"truth", func(m *Maker, p, s string) (string, string) { return p, "true" }},
	{"not", func(m *Maker, p, s string) (string, string) { return "not (" + p + " == " + quote(s) + ")", "1" }},
	{"has", func(m *Maker, p, s string) (string, string) { return "has(" + p + ")", pick(m, []string{"null", "1"}) }},
	{"any", func(m *Maker, p, s string) (string, string) {
		return fmt.Sprintf("any(%s, # == %q)", p, s), `["abc",` + quote(s) + `]`
	}},
	{"any of members", func(m *Maker, p, s string) (string, string) {
		return fmt.Sprintf("any(%s, .id == %q)", p, s), `[{"id":` + quote(s) + `}]`
	}},
	{"one", func(m *Maker, p, s string) (string, string) {
		return fmt.Sprintf("one(%s, # == %q)", p, s), `[` + quote(s) + `]`
	}},
	{"all", func(m *Maker, p, s string) (string, string) {
		return fmt.Sprintf("all(%s, # == %q)", p, s), `[` + quote(s) + `]`
	}},
	{"element", func(m *Maker, p, s string) (string, string) {
		return fmt.Sprintf("%s[0] == %q", p, s), `[` + quote(s) + `]`
	}},
	{"computed member", func(m *Maker, p, s string) (string, string) {
		return fmt.Sprintf("%s[%q + %q] == %q", p, "i", "d", s), `{"id":` + quote(s) + `}`
	}},
	{"let", func(m *Maker, p, s string) (string, string) {
		return fmt.Sprintf("let v = %s; v.id == %q", p, s), `{"id":` + quote(s) + `}`
	}},
	{"??", func(m *Maker, p, s string) (string, string) { return fmt.Sprintf("(%s ?? %q) == %q", p, s, s), "null" }},
	{"? :", func(m *Maker, p, s string) (string, string) {
		return fmt.Sprintf("%s == %q ? x == nil : false", p, s), quote(s)
	}},
	{"lower", func(m *Maker, p, s string) (string, string) { return fmt.Sprintf("lower(%s) == %q", p, "abc"), `"ABC"` }},
	{"is_public", func(m *Maker, p, s string) (string, string) { return "is_public(" + p + ")", `"8.8.8.8"` }},
	{"in_cidr", func(m *Maker, p, s string) (string, string) { return `in_cidr(` + p + `, "10.0.0.0/8")`, `"10.0.0.1"` }},
	{"hasPrefix", func(m *Maker, p, s string) (string, string) {
		return "hasPrefix(" + p + ", " + quote(s) + ")", quote(s)
	}},
}

// Rules are the names of all kinds of conditions, those made of others last.
func Rules() []string {
	var names []string
	for _, r := range rules {
		names = append(names, r.name)
	}
	return append(names, "and", "or")
}

// Condition makes up a condition of conditions, depth deep at most.
func (m *Maker) Condition(depth int) Condition {
	if depth == 0 || m.IntN(3) == 0 {
		return m.ConditionOf(rules[m.IntN(len(rules))].name)
	}
	return m.pair(pick(m, []string{"and", "or"}), depth-1)
}

// ConditionOf makes up a condition of one kind.
func (m *Maker) ConditionOf(name string) Condition {
	i := slices.IndexFunc(rules, func(r rule) bool { return r.name == name })
	if i < 0 {
		return m.pair(name, 0)
	}
	names, text := pick(m, paths), pick(m, plain)
	if m.IntN(4) == 0 {
		text = pick(m, texts)
	}
	condition, wish := rules[i].make(m, path(names), text)
	return Condition{Text: condition, Rules: []string{name}, Wishes: []Wish{{names, wish}}}
}

// pair makes up a condition of two.
func (m *Maker) pair(operator string, depth int) Condition {
	a, b := m.Condition(depth), m.Condition(depth)
	return Condition{
		Text:   "(" + a.Text + ") " + operator + " (" + b.Text + ")",
		Rules:  slices.Concat([]string{operator}, a.Rules, b.Rules),
		Wishes: slices.Concat(a.Wishes, b.Wishes),
	}
}
