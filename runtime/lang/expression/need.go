package expression

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strconv"

	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/sieve"
)

// mostClues is how many clues a need may have: each is looked for.
const mostClues = 16

// presenceNeed is the need of a path that is not nil: its last name that is
// plain, since the first ones are in every alert.
func presenceNeed(names []string) []sieve.Need {
	for _, name := range slices.Backward(names) {
		if sieve.Plain(name) {
			return []sieve.Need{{sieve.Member(name)}}
		}
	}
	return nil
}

// textNeed is the need of one of texts being there.
func textNeed(texts ...string) []sieve.Need {
	var n sieve.Need
	for _, t := range texts {
		if !sieve.Plain(t) || len(t) < sieve.Shortest {
			return nil
		}
		n = append(n, sieve.Clue{Text: t})
	}
	if n == nil {
		return nil
	}
	return []sieve.Need{n}
}

// equalNeeds are the needs of k, a value as it stands in the event, being one of texts.
func equalNeeds(k code, texts ...string) []sieve.Need {
	if len(texts) == 0 || slices.ContainsFunc(texts, func(t string) bool { return !sieve.Plain(t) }) {
		return nil
	}
	needs := textNeed(texts...)
	if sieve.Plain(k.member) {
		needs = append(needs, sieve.Need{sieve.Member(k.member, texts...)})
	}
	return needs
}

// heldNeed is the need of v being in a text, a list or an object of the event.
func heldNeed(v document.Value) []sieve.Need {
	if v.Kind() != document.Text {
		return nil // a number has many spellings
	}
	return textNeed(v.Text())
}

// truthNeeds are the needs of k as a condition.
func (k code) truthNeeds() []sieve.Need {
	if k.test == nil && k.direct {
		return presenceNeed(k.names)
	}
	return k.needs
}

// presence are the needs of all of codes not being nil: for operations that
// are false for nil. Nothing follows where evaluating another part can fail.
func presence(codes ...code) (needs []sieve.Need) {
	for _, k := range codes {
		if !k.safe {
			return nil
		}
	}
	for _, k := range codes {
		if k.direct {
			needs = append(needs, presenceNeed(k.names)...)
		}
	}
	return needs
}

// eitherNeeds are the needs of a or b.
func eitherNeeds(a, b []sieve.Need) []sieve.Need {
	x, y := best(a), best(b)
	if x == nil || y == nil {
		return nil
	}
	either := slices.Clone(x)
	for _, c := range y {
		i := slices.IndexFunc(either, func(o sieve.Clue) bool { return o.Text == c.Text })
		if i < 0 {
			either = append(either, c)
		} else {
			either[i] = eitherClue(either[i], c)
		}
	}
	return []sieve.Need{either}
}

// eitherClue is the clue of a or b, which have the same text.
func eitherClue(a, b sieve.Clue) sieve.Clue {
	c := sieve.Clue{Text: a.Text}
	switch {
	case a.Range != nil && b.Range != nil:
		hull := a.Range.Hull(*b.Range)
		c.Range = &hull
	case len(a.Values) > 0 && len(b.Values) > 0:
		c.Values = slices.Compact(slices.Sorted(slices.Values(slices.Concat(a.Values, b.Values))))
	}
	return c
}

// orderNeeds are the needs of k operator n, k a value as it stands in the event.
func orderNeeds(k code, operator string, n document.Value) []sieve.Need {
	bound, err := strconv.ParseFloat(n.Number(), 64)
	if !sieve.Plain(k.member) || err != nil && !errors.Is(err, strconv.ErrRange) {
		return nil
	}
	r := sieve.Range{From: math.Inf(-1), To: math.Inf(1)}
	switch operator {
	case "<", "<=":
		r.To = bound
	case ">", ">=":
		r.From = bound
	case "==":
		r.From, r.To = bound, bound
	}
	if math.IsInf(r.From, -1) && math.IsInf(r.To, 1) {
		return nil // the bound is no float64
	}
	c := sieve.Member(k.member)
	c.Range = &r
	return []sieve.Need{{c}}
}

// best is the need that is likely to drop most; nil where there is none.
func best(needs []sieve.Need) (n sieve.Need) {
	for _, o := range needs {
		if len(o) <= mostClues && (n == nil || strength(o) > strength(n)) {
			n = o
		}
	}
	return n
}

// strength is that of a need's weakest clue. The longer a text, the rarer it is,
// and the faster found; a member's name alone is nothing rare, a number in a range
// a little; but with its value it is nearly the condition itself.
func strength(n sieve.Need) int {
	weakest := slices.MinFunc(n, func(a, b sieve.Clue) int { return cmp.Compare(clueStrength(a), clueStrength(b)) })
	return clueStrength(weakest)*math.MaxInt16 - len(n)
}

func clueStrength(c sieve.Clue) int {
	switch {
	case len(c.Values) > 0:
		return len(c.Text) + 4
	case c.Range != nil:
		return len(c.Text)/2 + 2
	case c.Text[0] == '"':
		return len(c.Text) / 2
	}
	return len(c.Text)
}
