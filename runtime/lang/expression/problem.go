package expression

import (
	"fmt"
	"strings"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
)

// Problem is one finding about an expression. Start and End are byte offsets
// in the source; End is behind the last byte.
type Problem struct {
	Start, End int
	Cause      Cause
	Message    string // one sentence, lower case, no full stop
	Suggestion string // what to write instead
	Warning    bool   // the expression works all the same
	// Unknown is the variable without value that the expression reads. That is
	// an error of a condition; a template shows the variable's name instead.
	Unknown string
}

// Cause is what kind of mistake a problem is.
type Cause uint8

// The causes; those of warnings last.
const (
	Unreadable   Cause = iota // it is not in the language
	NoFunction                // it calls what is no function
	Arguments                 // a function is called with too many, too few or wrong ones
	NoVariable                // there is no variable of the name
	NoLocal                   // there is no local of the name
	NoName                    // a name of a let or loop that can't be, or is not there
	Binding                   // `not` binds tighter than it looks
	Literal                   // a constant is none of those that are possible there
	NoCondition               // it can't be true or false
	Failing                   // it fails for every event
	Form                      // the form of a template, not of an expression in it
	Unlikely                  // it never gives more than nil or false
	Minus                     // a name that is read as a subtraction
	PlainText                 // a text that reads like a path
	NoMeta                    // meta has no such member
	LooseNetwork              // a network has bits set behind its prefix
	NotNil                    // nil is written in another language
)

// Failed says whether one of problems is an error.
func Failed(problems []Problem) bool {
	for _, p := range problems {
		if !p.Warning {
			return true
		}
	}
	return false
}

// explain says in our words what the parser could not read.
func (s *source) explain(e *file.Error) Problem {
	p := Problem{Message: e.Message}
	p.Start, p.End = s.span(e.Location)
	at, found := s.tokenAt(e.From)
	switch {
	case strings.TrimSpace(s.text) == "":
		p.Message = "an expression is missing"
	case strings.HasPrefix(e.Message, "unrecognized character"):
		s.explainCharacter(&p)
	case e.Message == "literal not terminated":
		p.Message = "the text is not closed on its line"
		p.Suggestion = "end it with the quote that it begins with; a quote inside is written \\'"
	case strings.HasPrefix(e.Message, "unexpected token EOF"):
		if open, ok := s.unclosed(); ok {
			p.Start, p.End = s.span(open.Location)
			p.Message = fmt.Sprintf("`%s` is never closed", open.Value)
			break
		}
		p.Message = "the expression ends too early"
	case strings.HasPrefix(e.Message, "unexpected token") && found:
		s.explainToken(&p, at)
	}
	return p
}

var tokenHints = map[string]string{
	"=":    "write == to compare",
	"#":    "comments in expressions are // …",
	"&":    "write and",
	"|":    "write or",
	"<>":   "write !=",
	"===":  "write ==",
	"AND":  "write and, in lower case",
	"OR":   "write or, in lower case",
	"NOT":  "write not, in lower case",
	"IN":   "write in, in lower case",
	"is":   "write == nil, or has(path)",
	"like": "write contains, startsWith, endsWith or matches",
}

func (s *source) explainToken(p *Problem, at int) {
	t := s.tokens[at]
	p.Message = fmt.Sprintf("unexpected `%s`", s.text[p.Start:p.End])
	p.Suggestion = tokenHints[t.Value]
	if t.Value == ">" && at > 0 && s.tokens[at-1].Value == "<" {
		p.Suggestion = tokenHints["<>"]
	}
	if t.Value == "=" && at > 0 && strings.HasSuffix(s.tokens[at-1].Value, "=") {
		p.Suggestion = "write == to compare"
	}
	if p.Suggestion == "" && at > 0 && t.Kind == lexer.Identifier && s.tokens[at-1].Kind == lexer.String {
		p.Suggestion = "a quote inside a text is written \\'"
	}
}

func (s *source) explainCharacter(p *Problem) {
	char := s.text[p.Start:p.End]
	p.Message = fmt.Sprintf("the character %q is not part of the language", char)
	switch char {
	case "“", "”", "„", "‘", "’", "‚":
		p.Suggestion = "use straight quotes: '…'"
	case "~":
		p.Suggestion = "write matches for a regular expression"
	case "@":
		p.Suggestion = "write event['@timestamp'] for a member with such a name"
	case "\\":
		p.Suggestion = "a backslash stands inside quotes only"
	}
}

// unclosed is the last bracket that nothing closes.
func (s *source) unclosed() (lexer.Token, bool) {
	var open []lexer.Token
	for _, t := range s.tokens {
		if t.Kind != lexer.Bracket {
			continue
		}
		switch t.Value {
		case "(", "[", "{":
			open = append(open, t)
		default:
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
		}
	}
	if len(open) == 0 {
		return lexer.Token{}, false
	}
	return open[len(open)-1], true
}
