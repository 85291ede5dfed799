package expression

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/parser/lexer"
)

// maxSource bounds the parser's recursion.
const maxSource = 64 << 10

// source is the text of an expression with what the parser does not keep.
type source struct {
	text    string
	offsets []int // byte offset of each character, and of the end
	tokens  []lexer.Token
	numbers map[int]string // by first character: numbers exactly, in JSON's grammar
}

// parse reads text with the grammar of expr-lang/expr.
func parse(text string) (s *source, root ast.Node, problem *Problem) {
	s = &source{text: text}
	if len(text) > maxSource {
		return s, nil, &Problem{End: len(text), Message: fmt.Sprintf("an expression of more than %d KiB", maxSource>>10)}
	}
	for i := range text {
		s.offsets = append(s.offsets, i)
	}
	s.offsets = append(s.offsets, len(text))

	tokens, err := lexer.Lex(file.NewSource(text))
	s.tokens = tokens
	if err == nil {
		root, err = parseNodes(s.holdNumbers())
	}
	if err != nil {
		var where *file.Error
		if !errors.As(err, &where) {
			where = &file.Error{Location: file.Location{To: len(s.offsets) - 1}, Message: err.Error()}
		}
		p := s.explain(where)
		return s, nil, &p
	}
	return s, root, nil
}

// parseNodes calls the parser, which panics on some broken input.
func parseNodes(text string) (root ast.Node, err error) {
	defer func() {
		if recover() != nil {
			root, err = nil, errors.New("this is not an expression")
		}
	}()
	tree, err := parser.Parse(text)
	if err != nil {
		return nil, err
	}
	if tree.Node == nil {
		return nil, errors.New("this is not an expression")
	}
	return tree.Node, nil
}

// holdNumbers keeps every number exactly. The parser refuses some and rounds
// others: it gets a 1 with blanks instead of those it refuses.
func (s *source) holdNumbers() string {
	s.numbers = map[int]string{}
	replaced := s.text
	for _, t := range s.tokens {
		if t.Kind != lexer.Number {
			continue
		}
		exact, ok := exactNumber(t.Value)
		if !ok {
			continue
		}
		s.numbers[t.From] = exact
		if _, err := strconv.ParseInt(exact, 10, 64); err != nil {
			from, to := s.span(t.Location)
			replaced = replaced[:from] + "1" + strings.Repeat(" ", to-from-1) + replaced[to:]
		}
	}
	return replaced
}

// exactNumber is an expr number literal in JSON's grammar.
func exactNumber(literal string) (string, bool) {
	t := strings.ToLower(strings.ReplaceAll(literal, "_", ""))
	if len(t) > 1 && t[0] == '0' && strings.ContainsRune("xob", rune(t[1])) {
		n, ok := new(big.Int).SetString(t, 0)
		if !ok {
			return "", false
		}
		return n.String(), true
	}
	mantissa, exponent, hasExponent := strings.Cut(t, "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	whole = strings.TrimLeft(whole, "0")
	if whole == "" {
		whole = "0"
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if hasExponent {
		if strings.Trim(exponent, "+-") == "" {
			return "", false
		}
		whole += "e" + exponent
	}
	return whole, true
}

// span is a place in bytes. The parser counts characters.
func (s *source) span(l file.Location) (start, end int) {
	last := len(s.offsets) - 1
	from, to := min(max(l.From, 0), last), min(max(l.To, 0), last)
	return s.offsets[from], s.offsets[max(from, to)]
}

// tokenAt is the index of the token that begins at a character.
func (s *source) tokenAt(from int) (int, bool) {
	for i, t := range s.tokens {
		if t.From == from && (t.To > t.From || t.Kind == lexer.EOF) && (t.Kind != lexer.EOF || i == len(s.tokens)-1) {
			return i, true
		}
	}
	return 0, false
}

// spanOf is all of a node, as far as its parts tell, with the brackets around
// it that belong to those inside. Brackets have no nodes, and lists no end.
func (s *source) spanOf(n ast.Node) (start, end int) {
	var e extent
	ast.Walk(&n, &e)
	return s.span(s.balanced(e.from, e.to))
}

// upTo is from, a character, up to the end of a node, as a place in bytes.
func (s *source) upTo(from int, n ast.Node) (start, end int) {
	var e extent
	ast.Walk(&n, &e)
	return s.span(s.balanced(from, e.to))
}

// balanced is a place with the brackets before it that are closed inside, and
// those behind it that close what is opened inside.
func (s *source) balanced(from, to int) file.Location {
	first, _ := slices.BinarySearchFunc(s.tokens, from, func(t lexer.Token, from int) int { return t.From - from })
	open := 0
	for i := first; i < len(s.tokens); i++ {
		t := s.tokens[i]
		switch {
		case t.From >= to && (open == 0 || t.Kind != lexer.Bracket):
			return file.Location{From: from, To: to}
		case t.Kind != lexer.Bracket:
		case t.Value == "(" || t.Value == "[" || t.Value == "{":
			if t.From >= to {
				return file.Location{From: from, To: to}
			}
			open++
		case open > 0:
			open--
			to = max(to, t.To)
		default:
			if at := s.matching(i); at >= 0 {
				from = min(from, s.tokens[at].From)
			}
		}
	}
	return file.Location{From: from, To: to}
}

// textOf is a node as it is written.
func (s *source) textOf(n ast.Node) string {
	start, end := s.spanOf(n)
	return strings.Join(strings.Fields(s.text[start:end]), " ")
}

type extent struct {
	from, to int
	any      bool
}

func (e *extent) Visit(n *ast.Node) {
	if _, ok := (*n).(*ast.ConditionalNode); ok { // stands behind itself
		return
	}
	l := (*n).Location()
	if l.To <= l.From {
		return
	}
	if !e.any || l.From < e.from {
		e.from = l.From
	}
	if !e.any || l.To > e.to {
		e.to = l.To
	}
	e.any = true
}
