package lang

import (
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// chunk is what stands at the top level of a file, most often one block: start
// and end in src.
type chunk struct{ start, end int }

// cut divides a file so that each part can be parsed alone, and an error in
// one hides none in another. Where the brackets of the file as a whole match, they say
// where; else every line that looks like the head of a block does.
func (f *file) cut() []chunk {
	if chunks, ok := f.cutByTokens(); ok {
		return chunks
	}
	return f.cutByHeads()
}

func (f *file) lex(c chunk) hclsyntax.Tokens {
	tokens, _ := hclsyntax.LexConfig(f.src[c.start:c.end], f.name, f.hclPos(c.start)) // what it complains of, the parser does as well
	return tokens
}

func (f *file) hclPos(offset int) hcl.Pos {
	return hcl.Pos{Line: f.pos(offset).Line, Column: 1, Byte: offset}
}

// nesting is how deep a token leads inside, and whether it breaks the order.
func nesting(t hclsyntax.Token) (by int, broken bool) {
	switch t.Type {
	case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote,
		hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
		return 1, false
	case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote,
		hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
		return -1, false
	case hclsyntax.TokenQuotedNewline, hclsyntax.TokenInvalid, hclsyntax.TokenBadUTF8:
		return 0, true
	}
	return 0, false
}

func (f *file) cutByTokens() (chunks []chunk, ok bool) {
	depth, start := 0, 0
	for _, t := range f.lex(chunk{0, len(f.src)}) {
		by, broken := nesting(t)
		if depth += by; broken || depth < 0 {
			return nil, false
		}
		ends := t.Type == hclsyntax.TokenNewline || t.Type == hclsyntax.TokenComment && t.Bytes[len(t.Bytes)-1] == '\n'
		if ends && depth == 0 && !f.opensNext(t.Range.End.Byte) {
			chunks = append(chunks, chunk{start, t.Range.End.Byte})
			start = t.Range.End.Byte
		}
	}
	return append(chunks, chunk{start, len(f.src)}), depth == 0
}

// opensNext says whether the next line holds the { that this one lacks.
func (f *file) opensNext(at int) bool {
	rest := strings.TrimLeft(string(f.src[at:min(len(f.src), at+80)]), " \t")
	return strings.HasPrefix(rest, "{")
}

var head = regexp.MustCompile(`(?m)^[A-Za-z_][\w-]*(?:[ \t]+(?:"[^"\n]*"|[\w.-]+))*[ \t]*\{`)

func (f *file) cutByHeads() []chunk {
	var chunks []chunk
	start := 0
	for _, m := range head.FindAllIndex(f.src, -1) {
		if m[0] > start {
			chunks = append(chunks, chunk{start, m[0]})
			start = m[0]
		}
	}
	chunks = append(chunks, chunk{start, len(f.src)})
	// A line inside a heredoc may look like a head.
	for i := 0; i < len(chunks); i++ {
		if f.heredocs(chunks[i]) == 0 {
			continue
		}
		for j := i + 1; j < len(chunks); j++ {
			if f.heredocs(chunk{chunks[i].start, chunks[j].end}) == 0 {
				chunks[i].end = chunks[j].end
				chunks = append(chunks[:i+1], chunks[j+1:]...)
				break
			}
		}
	}
	return chunks
}

// deepest is how deep brackets may be nested: the parser recurses.
const deepest = 500

// tooDeep is where c is nested deeper than the parser can be asked to go.
func (f *file) tooDeep(c chunk) (at int, too bool) {
	depth := 0
	for _, t := range f.lex(c) {
		by, _ := nesting(t)
		if depth += by; depth > deepest {
			return t.Range.Start.Byte, true
		}
	}
	return 0, false
}

// heredocs counts those that are not closed in c.
func (f *file) heredocs(c chunk) int {
	open := 0
	for _, t := range f.lex(c) {
		switch t.Type {
		case hclsyntax.TokenOHeredoc:
			open++
		case hclsyntax.TokenCHeredoc:
			open--
		}
	}
	return open
}
