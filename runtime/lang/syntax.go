package lang

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/wazuh-etl/etl/runtime/diag"
)

// parse gives the blocks of a file and one finding for each chunk that HCL
// can't read. Of such a chunk the head is kept, so that who names it is not blamed too.
func (f *file) parse() (bodies []*hclsyntax.Body, broken []heading, list diag.List) {
	for _, c := range f.cut() {
		if at, too := f.tooDeep(c); too {
			list = append(list, diag.Diagnostic{Code: diag.Syntax, Range: f.span(at, at+1), Message: "brackets are nested too deep here"})
			broken = append(broken, heading{})
			continue
		}
		parsed, diags := hclsyntax.ParseConfig(f.src[c.start:c.end], f.name, f.hclPos(c.start))
		if !diags.HasErrors() {
			bodies = append(bodies, parsed.Body.(*hclsyntax.Body))
			continue
		}
		list = append(list, f.explainSyntax(c, diags[0]))
		broken = append(broken, f.heading(c))
	}
	return bodies, broken, list
}

// heading is the head of a block whose inside can't be read, as far as it can.
type heading struct {
	kind   string
	labels []string
	names  []string // of what look like attributes
}

var attributeName = regexp.MustCompile(`(?m)^[ \t]*([a-z][a-z0-9_]*)[ \t]*[=:]`)

func (f *file) heading(c chunk) (h heading) {
	for _, m := range attributeName.FindAllSubmatch(f.src[c.start:c.end], -1) {
		h.names = append(h.names, string(m[1]))
	}
	for _, t := range f.lex(c) {
		switch t.Type {
		case hclsyntax.TokenIdent, hclsyntax.TokenQuotedLit:
			if h.kind == "" {
				h.kind = string(t.Bytes)
			} else {
				h.labels = append(h.labels, string(t.Bytes))
			}
		case hclsyntax.TokenOBrace:
			return h
		case hclsyntax.TokenOQuote, hclsyntax.TokenCQuote, hclsyntax.TokenNewline, hclsyntax.TokenComment:
		default:
			return h
		}
	}
	return h
}

// explainSyntax says in the words of this language what HCL could not read.
func (f *file) explainSyntax(c chunk, d *hcl.Diagnostic) diag.Diagnostic {
	out := diag.Diagnostic{Code: diag.Syntax, Message: lower(d.Summary), Suggestion: d.Detail}
	var at hcl.Range
	if d.Subject != nil {
		at = *d.Subject
	}
	out.Range = f.at(at)
	before, subject, after := f.tokensAround(c, at)
	innerQuote := before.Type == hclsyntax.TokenCQuote && before.Range.End.Byte == at.Start.Byte && subject.Type != hclsyntax.TokenComma

	say := func(code diag.Code, message, suggestion string) {
		out.Code, out.Message, out.Suggestion = code, message, suggestion
	}
	switch d.Summary {
	case "Unexpected comma after argument":
		say(diag.AttributeSyntax, "no comma belongs between the attributes of a block", "give each attribute its own line")
	case "Missing newline after argument", "Missing attribute separator", "Missing item separator", "Missing argument separator":
		switch {
		case innerQuote:
			say(diag.InnerQuotes, "the text ends at the quote before this",
				`inside where and {{ }} use single quotes, elsewhere write \"`)
		case before.Type == hclsyntax.TokenNumberLit && subject.Type == hclsyntax.TokenIdent && before.Range.End.Byte == at.Start.Byte:
			v := string(before.Bytes) + string(subject.Bytes)
			say(diag.BareNumber, "`"+v+"` is no value: a number with a unit is a text", fmt.Sprintf("write %q", v))
		case d.Summary == "Missing newline after argument":
			say(diag.AttributeSyntax, fmt.Sprintf("`%s` is too much: the value ends before it", shown(subject)), "give each attribute its own line")
		case subject.Type == hclsyntax.TokenCBrace:
			say(diag.Unterminated, "a bracket is not closed before this `}`", "")
		default:
			say(diag.Syntax, fmt.Sprintf("a comma is missing before `%s`", shown(subject)), "")
		}
	case "Invalid single-argument block definition", "Argument definition required":
		say(diag.OneLineBlock, "a block on one line holds one attribute", "give each its own line")
		if strings.Contains(d.Detail, "must also be closed on the same line") {
			say(diag.OneLineBlock, "an attribute on the line of its block's `{` wants the `}` on that line too", "begin a new line after `{`")
		}
	case "Argument or block definition required":
		switch {
		case subject.Type == hclsyntax.TokenCBrace:
			say(diag.Unterminated, "this `}` closes nothing", "remove it, or open its block")
		case subject.Type == hclsyntax.TokenIdent && after.Type == hclsyntax.TokenColon:
			say(diag.AttributeSyntax, "an attribute is written with `=`, not `:`", fmt.Sprintf("write %s = …", subject.Bytes))
		case subject.Type == hclsyntax.TokenIdent && (after.Type == hclsyntax.TokenEqualOp || after.Type == hclsyntax.TokenDot):
			say(diag.AttributeSyntax, fmt.Sprintf("an attribute is written NAME = VALUE, not with `%s`", after.Bytes), "")
		case subject.Type == hclsyntax.TokenIdent:
			say(diag.AttributeSyntax, fmt.Sprintf("`%s` is neither an attribute nor a block", subject.Bytes),
				fmt.Sprintf("write %s = … or %s { … }", subject.Bytes, subject.Bytes))
		default:
			say(diag.AttributeSyntax, fmt.Sprintf("`%s` can't stand here: an attribute or a block is expected", shown(subject)), "")
		}
	case "Invalid argument name":
		say(diag.AttributeSyntax, "the name of an attribute has no quotes", "")
	case "Attribute redefined":
		say(diag.DuplicateKey, fmt.Sprintf("`%s` is written twice in this block", shown(subject)), "keep one of them")
	case "Invalid block definition":
		switch {
		case subject.Type == hclsyntax.TokenEqual:
			say(diag.AttributeSyntax, "a block has no `=` before its `{`", "remove the `=`")
		case subject.Type == hclsyntax.TokenDot || subject.Type == hclsyntax.TokenNumberLit:
			say(diag.BlockLabels, fmt.Sprintf("`%s` can't stand in the head of a block", shown(subject)), `write names in quotes, each alone: source "file" "alerts" {`)
		default:
			say(diag.AttributeSyntax, "the `{` of a block stands on the line of its head", "")
		}
	case "Missing newline after block definition":
		say(diag.AttributeSyntax, fmt.Sprintf("`%s` stands behind the `}` of a block", shown(subject)), "begin a new line")
	case "Unclosed configuration block":
		say(diag.Unterminated, "this block is never closed", "write the missing `}`")
	case "Unterminated template string", "Unterminated string literal":
		out.Range = f.opener(c, at, out.Range)
		say(diag.Unterminated, "this text has no end", "a heredoc ends with its mark alone on a line, a quoted text with a quote")
	case "Invalid multi-line string":
		say(diag.Unterminated, "a quoted text must end on its line", `write the closing quote, or use a heredoc: <<-TEXT`)
	case "Unterminated tuple constructor expression", "Unterminated object constructor expression", "Unterminated function call",
		"Unbalanced parentheses", "Unclosed template interpolation sequence":
		say(diag.Unterminated, "this bracket is never closed", "")
		if d.Summary == "Unbalanced parentheses" {
			out.Message = "a parenthesis is not closed before this"
		}
	case "Invalid expression", "Missing expression":
		say(diag.Syntax, "a value is missing here", "")
		if subject.Type == hclsyntax.TokenNewline || len(strings.TrimSpace(string(subject.Bytes))) == 0 {
			out.Range = f.span(before.Range.Start.Byte, before.Range.End.Byte)
			out.Message = fmt.Sprintf("a value is missing after `%s`", before.Bytes)
		} else if s := shown(subject); s != "" {
			out.Message = fmt.Sprintf("a value is expected here, not `%s`", s)
		}
	case "Invalid character":
		say(diag.Syntax, fmt.Sprintf("the character `%s` can't stand here", shown(subject)), "")
		switch {
		case strings.HasPrefix(d.Detail, "Single quotes"), strings.Contains(d.Detail, "Curly quotes"):
			out.Suggestion = `texts have double quotes: "…"`
		case strings.Contains(d.Detail, "heredoc"):
			out.Suggestion = "texts have double quotes, or are heredocs: <<-TEXT"
		}
	case "Invalid escape sequence":
		say(diag.Syntax, fmt.Sprintf("`%s` is no escape", f.src[at.Start.Byte:at.End.Byte]),
			"a backslash is written \\\\; better write a regular expression in a heredoc, between backquotes")
	case "Extra characters after interpolation expression", "Invalid template directive", "Invalid template control keyword":
		say(diag.Interpolation, "`${` and `%{` begin a value of load time in every text", "write `$${` or `%%{` for the characters themselves")
	case "Missing key/value separator", "Missing attribute value":
		say(diag.AttributeSyntax, fmt.Sprintf("an `=` is expected here, not `%s`", shown(subject)), `a key with a dot or a blank needs quotes: "agent.id" = …`)
	}
	return out
}

// tokensAround are the token before a place, the one at it and the one behind.
func (f *file) tokensAround(c chunk, at hcl.Range) (before, subject, after hclsyntax.Token) {
	tokens := f.lex(c)
	for i, t := range tokens {
		if t.Range.End.Byte <= at.Start.Byte && t.Range.Start.Byte != at.Start.Byte {
			before = t
			continue
		}
		subject = t
		if i+1 < len(tokens) {
			after = tokens[i+1]
		}
		return before, subject, after
	}
	return before, subject, after
}

// opener is where the text that has no end begins.
func (f *file) opener(c chunk, at hcl.Range, otherwise diag.Range) diag.Range {
	var open []hclsyntax.Token
	for _, t := range f.lex(c) {
		switch t.Type {
		case hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc:
			open = append(open, t)
		case hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
		}
	}
	if len(open) == 0 {
		return otherwise
	}
	r := open[len(open)-1].Range
	text := strings.TrimRight(string(f.src[r.Start.Byte:r.End.Byte]), "\n")
	return f.span(r.Start.Byte, r.Start.Byte+len(text))
}

func shown(t hclsyntax.Token) string {
	switch t.Type {
	case hclsyntax.TokenNewline:
		return "end of line"
	case hclsyntax.TokenEOF:
		return "end of file"
	}
	return strings.TrimSpace(string(t.Bytes))
}

func lower(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + strings.TrimSuffix(s[1:], ".")
}

func (f *file) notUTF8(at int) diag.Diagnostic {
	return diag.Diagnostic{Code: diag.NotUTF8, Range: f.span(at, at+1), Message: "the file is not UTF-8 from here on", Suggestion: "save it as UTF-8"}
}
