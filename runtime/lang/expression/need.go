package expression

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/wazuh-etl/etl/runtime/document"
)

// need is what the bytes of a document must hold for a condition to be true:
// one of some literals. Where none is there, the condition is false, and
// evaluating it would raise no error: most lines of an alerts file are dropped
// by looking for a few bytes, before anything is parsed.
//
// It is an optimisation only. A document can spell a letter as \u0066, so
// nothing follows for one that holds \u; what has other spellings (quotes,
// slashes, backslashes, everything outside ASCII, numbers) is no literal.
type need []string

// Most that is looked for in one document.
const (
	mostNeeds    = 2
	mostLiterals = 4
)

// plainLiteral says whether a document that holds s as text or name holds
// these very bytes, unless it holds \u.
func plainLiteral(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '/' {
			return false
		}
	}
	return s != ""
}

// nameNeeds is the need of a path that is not nil: its last name that is a
// literal, since the first ones are in every alert. The quote in front of a name is
// left out: it is everywhere, which makes the search slow.
func nameNeeds(names []string) []need {
	for _, name := range slices.Backward(names) {
		if plainLiteral(name) {
			return []need{{name + `"`}}
		}
	}
	return nil
}

// textNeed is the need of one of texts being there.
func textNeed(texts ...string) []need {
	for _, t := range texts {
		if !plainLiteral(t) {
			return nil
		}
	}
	if len(texts) == 0 {
		return nil
	}
	return []need{slices.Clone(texts)}
}

// equalNeed is the need of something of the event that equals v.
func equalNeed(v document.Value) []need {
	if v.Kind() != document.Text {
		return nil // a number has many spellings
	}
	return textNeed(v.Text())
}

// truthNeeds are the needs of k as a condition.
func (k code) truthNeeds() []need {
	if k.test == nil && k.direct {
		return nameNeeds(k.names)
	}
	return k.needs
}

// presence are the needs of all of codes not being nil: for operations that
// are false for nil. Nothing follows where evaluating another part can fail.
func presence(codes ...code) (needs []need) {
	for _, k := range codes {
		if !k.safe {
			return nil
		}
	}
	for _, k := range codes {
		if k.direct {
			needs = append(needs, nameNeeds(k.names)...)
		}
	}
	return needs
}

// eitherNeeds are the needs of a or b.
func eitherNeeds(a, b []need) []need {
	x, y := best(a), best(b)
	if len(x) == 0 || len(y) == 0 {
		return nil
	}
	return []need{slices.Compact(slices.Sorted(slices.Values(slices.Concat(x[0], y[0]))))}
}

// best are the needs that are likely to drop most for the least search: few
// and long literals.
func best(needs []need) []need {
	shortest := func(n need) int {
		return len(slices.MinFunc(n, func(a, b string) int { return cmp.Compare(len(a), len(b)) }))
	}
	var kept []need
	for _, n := range needs {
		if len(n) <= mostLiterals && !slices.ContainsFunc(kept, func(k need) bool { return slices.Equal(k, n) }) {
			kept = append(kept, n)
		}
	}
	slices.SortStableFunc(kept, func(a, b need) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(shortest(b), shortest(a)))
	})
	return kept[:min(len(kept), mostNeeds)]
}

// prefilter is what a program looks for in raw bytes.
type prefilter [][][]byte

func newPrefilter(needs []need) (p prefilter) {
	for _, n := range best(needs) {
		var literals [][]byte
		for _, s := range n {
			literals = append(literals, []byte(s))
		}
		p = append(p, literals)
	}
	return p
}

var unicodeEscape = []byte(`\u`)

// excludes says that the condition is false for the document that raw is.
func (p prefilter) excludes(raw []byte) bool {
needs:
	for _, literals := range p {
		for _, l := range literals {
			if bytes.Contains(raw, l) {
				continue needs
			}
		}
		return !bytes.Contains(raw, unicodeEscape)
	}
	return false
}
