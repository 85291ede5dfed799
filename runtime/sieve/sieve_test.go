package sieve

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/wazuh-etl/etl/runtime/component"
)

func TestMet(t *testing.T) {
	for _, test := range []struct {
		need Need
		doc  string
		want bool
	}{
		{nil, `{}`, true},
		{Need{}, `{}`, false},
		{Need{{Text: "abc"}}, `{"x":"1abc2"}`, true},
		{Need{{Text: "abc"}}, `{"x":"ab","y":"c"}`, false},
		{Need{{Text: "abc"}}, `{"x":"a\u0062c"}`, true},
		{Need{{Text: "abc"}}, `{"x":"\\u0062c"}`, false}, // a backslash and a u
		{Need{{Text: "abc"}}, `{"x":"\\\u0062c"}`, true},
		{Need{{Text: "abc"}}, `{"x":"a\`, false},
		{Need{{Text: "abc"}, {Text: "xyz"}}, `{"x":"xyz"}`, true},
		{Need{Member("id")}, `{"id" :1}`, true},
		{Need{Member("id")}, `{"xid":1}`, false},
		{Need{Member("id", "7", "88")}, `{"id":"7"}`, true},
		{Need{Member("id", "7", "88")}, `{"id":"88"}`, true},
		{Need{Member("id", "7", "88")}, `{"id":"8"}`, false},
		{Need{Member("id", "7", "88")}, `{"id":"888"}`, false},
		{Need{Member("id", "7", "88")}, `{"id":88}`, true},
		{Need{Member("id", "7", "88")}, `{"id":888}`, false},
		{Need{Member("id", "7", "88")}, `{"id":7.0}`, false},
		{Need{Member("id", "7", "88")}, "{\"id\" \t\r\n: \t\r\n\"7\"}", true},
		{Need{Member("id", "7", "88")}, `{"id":1,"a":{"id":"7"}}`, true},
		{Need{Member("id", "7", "88")}, `{"a":"id","id":"7"}`, true},
		{Need{Member("id", "7", "88")}, `{"id":"7\n"}`, false},
		{Need{Member("id", "7", "88")}, `{"id":["7"]}`, false},
		{Need{Member("id", "7", "88")}, `{"id":true}`, false},
		{Need{Member("id", "7", "88")}, `{"id"`, false},
		{Need{Member("id", "7", "88")}, `{"id":`, false},
		{Need{Member("id", "7", "88")}, `{"id":"7`, false},
		{Need{Member("id", "7", "88")}, `{"id":7`, true},
		{Need{over(12)}, `{"level":12}`, true},
		{Need{over(12)}, `{"level":11}`, false},
		{Need{over(12)}, `{"level": "12"}`, true},
		{Need{over(12)}, `{"level": "11.9"}`, false},
		{Need{over(12)}, `{"level":1.2e1}`, true},
		{Need{over(12)}, `{"level":-12}`, false},
		{Need{over(12)}, `{"level":1e999}`, true},
		{Need{over(12)}, `{"level":-1e999}`, false},
		{Need{over(12)}, `{"level":11.99999999999999999999}`, true}, // rounded
		{Need{over(12)}, `{"level":11.99999999999999999999999999999999999999}`, true},
		{Need{over(12)}, `{"level":"1111111111111111111111111111111111111111"}`, true},
		{Need{over(12)}, `{"level":true,"x":12}`, false},
		{Need{over(12)}, `{"level":[12]}`, false},
		{Need{over(12)}, `{"level":""}`, false},
		{Need{over(12)}, `{"level":3,"rule":{"level":13}}`, true},
		{Need{{Text: `"a"a"`, Values: []string{"7"}}}, `{"a"a"a":7`, true},
	} {
		if got := test.need.Met([]byte(test.doc)); got != test.want {
			t.Errorf("%s in %s: %v, want %v", test.need, test.doc, got, test.want)
		}
	}
}

func over(n float64) Clue { return Clue{Text: `"level"`, Range: &Range{n, math.Inf(1)}} }

// Sift says of every line what Met says of it alone, whatever lies around it.
func TestSiftIsMetOfEachLine(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	met, unmet, escaped := 0, 0, 0
	var found Found // its memory is used again and again
	for range 3000 {
		data, lines, needs := scenario(r)
		New(needs).Sift(data, lines, &found)
		for i, l := range lines {
			none := true
			for n, need := range needs {
				if need == nil {
					continue
				}
				line := data[l.Start:l.End]
				want := need.Met(line)
				if got := found.Row(i).Has(n); got != want {
					t.Fatalf("%s in %q, line %d of %q: %v, want %v", need, line, i, data, got, want)
				}
				none = none && !want
				switch {
				case escapes(line):
					escaped++
				case want:
					met++
				default:
					unmet++
				}
			}
			if got := found.Row(i).None(); got != none && !escapes(data[l.Start:l.End]) {
				t.Fatalf("line %d of %q: none is %v, want %v", i, data, got, none)
			}
		}
	}
	t.Logf("met %d, not met %d, escaped %d", met, unmet, escaped)
	if all := met + unmet + escaped; met*10 < all || unmet*10 < all || escaped*10 < all {
		t.Errorf("the scenarios reach too little: met %d, not met %d, escaped %d", met, unmet, escaped)
	}
}

// scenario is lines made of pieces of texts, and needs made of the same.
func scenario(r *rand.Rand) (data []byte, lines []component.Line, needs []Need) {
	words := []string{"abc", "abcd", "bcd", "abcabc", "eventID", "event", "xyzzy", "a long text of many letters", `}{"`, "4625", "46", "7"}
	word := func() string { return words[r.IntN(len(words))] }
	var out strings.Builder
	for range r.IntN(6) {
		out.WriteString(strings.Repeat("x", r.IntN(9))) // what lies between lines
		if r.IntN(3) == 0 {
			out.WriteString(word())
		}
		start := out.Len()
		for range r.IntN(5) {
			switch r.IntN(9) {
			case 0:
				out.WriteString(`\u0061`)
			case 1:
				out.WriteString(`\\u`)
			case 2:
				fmt.Fprintf(&out, `"%s" : "%s"`, word(), word())
			case 3:
				fmt.Fprintf(&out, `"%s":%s`, word(), word())
			case 4:
				w := word()
				out.WriteString(w[:r.IntN(len(w)+1)])
			default:
				out.WriteString(word())
			}
		}
		lines = append(lines, component.Line{Start: start, End: out.Len()})
	}
	for range 1 + r.IntN(80) {
		var n Need
		for range r.IntN(4) {
			c := Clue{Text: word()}
			if r.IntN(3) == 0 {
				c = Member(word())
			}
			if r.IntN(3) == 0 {
				c = Member(word(), word(), word())
			}
			if r.IntN(12) == 0 {
				c = Member(word())
				c.Range = &Range{float64(r.IntN(50)), float64(r.IntN(5000))}
			}
			if len(c.Text) >= Shortest {
				n = append(n, c)
			}
		}
		needs = append(needs, n)
	}
	return []byte(out.String()), lines, needs
}

func TestLinesInAnyOrder(t *testing.T) {
	data := []byte(`{"a":1}{"b":2}`)
	s := New([]Need{{{Text: `"a"`}}, {{Text: `"b"`}}})
	for _, lines := range [][]component.Line{{{Start: 7, End: 14}, {Start: 0, End: 7}}, {{Start: 5, End: 14}, {Start: 0, End: 7}}} {
		var found Found
		s.Sift(data, lines, &found)
		if first, second := found.Row(0), found.Row(1); first.Has(0) || !first.Has(1) || !second.Has(0) || second.Has(1) {
			t.Errorf("%v: %v", lines, found)
		}
	}
}

// Every occurrence is found once, in the order of their beginnings.
func FuzzFinder(f *testing.F) {
	f.Add("abc\x00abcd\x00bca", "abcabcdbcabcabc")
	f.Add(`"eventID"`, `{"eventID":"4625","eventID`)
	f.Fuzz(func(t *testing.T, list, data string) {
		var texts []string
		for text := range strings.SplitSeq(list, "\x00") {
			if len(text) >= Shortest && !slices.Contains(texts, text) {
				texts = append(texts, text)
			}
		}
		got := map[string]int{}
		last := 0
		newFinder(texts).each([]byte(data), func(text, at, end int) {
			if data[at:end] != texts[text] {
				t.Fatalf("%q is not at %d", texts[text], at)
			}
			if at < last {
				t.Fatalf("%d after %d", at, last)
			}
			last = at
			got[fmt.Sprint(texts[text], at)]++
		})
		n := 0
		for _, text := range texts {
			for at := range data {
				if strings.HasPrefix(data[at:], text) {
					if n++; got[fmt.Sprint(text, at)] != 1 {
						t.Fatalf("%q at %d was found %d times", text, at, got[fmt.Sprint(text, at)])
					}
				}
			}
		}
		if n != len(got) {
			t.Fatalf("%d found, want %d", len(got), n)
		}
	})
}
