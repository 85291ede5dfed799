package lua

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"

	"github.com/wazuh-etl/etl/runtime/diag"
)

// syntaxError is what the parser or compiler says, at its place.
func syntaxError(src source, err error) error {
	d := diag.Diagnostic{Code: diag.LuaSyntax, Range: src.at(1, 1), Message: "Lua: " + err.Error()}
	var parsing *parse.Error
	var compiling *lua.CompileError
	switch {
	case errors.As(err, &parsing) && parsing.Pos.Line == parse.EOF:
		text := strings.TrimRight(src.text, "\r\n\t ")
		line, column := placeIn(text, len(text))
		d.Range = src.at(line, max(column-1, 1))
		d.Message = "Lua: " + parsing.Message + " at the end"
	case errors.As(err, &parsing):
		token := tokenAt(src.text, parsing)
		d.Range = token.in(src)
		d.Message = "Lua: " + strings.ToLower(parsing.Message[:1]) + parsing.Message[1:]
		if token.text != "" {
			d.Message += " near '" + token.text + "'"
		}
	case errors.As(err, &compiling):
		line, message := compiling.Line, compiling.Message
		if m := atLine.FindStringSubmatch(message); m != nil { // better than the end of the function
			line, _ = strconv.Atoi(m[1])
			message = atLine.ReplaceAllString(message, "")
		}
		d.Range, d.Message = src.at(line, 1), "Lua: "+message
	}
	return d
}

// atLine is a line of the chunk in a message, which need not be the file's.
var atLine = regexp.MustCompile(` (?:at|on) line (\d+)`)

// token is where something stands in a text.
type token struct {
	text         string
	line, column int // in characters, from 1
}

func (t token) in(src source) diag.Range {
	r := src.at(t.line, t.column)
	if n := utf8.RuneCountInString(t.text); n > 1 {
		r.End = src.at(t.line, t.column+n-1).End
	}
	return r
}

// tokenAt finds the token that an error is about: the parser gives the column
// of its last byte, and a piece of it if it is no ASCII.
func tokenAt(text string, e *parse.Error) token {
	line := text
	for range e.Pos.Line - 1 {
		_, line, _ = strings.Cut(line, "\n")
	}
	line, _, _ = strings.Cut(line, "\n")
	last := min(max(e.Pos.Column, 1), len(line))
	start := max(last-len(e.Token), 0)
	if e.Token == "" || line[start:last] != e.Token || !utf8.ValidString(e.Token) {
		// the text of a string is not how it is written: the character there
		for start = max(last-1, 0); start > 0 && !utf8.RuneStart(line[start]); start-- {
		}
		_, size := utf8.DecodeRuneInString(line[start:])
		last = start + size
	}
	return token{text: line[start:last], line: e.Pos.Line, column: utf8.RuneCountInString(line[:start]) + 1}
}

// placeIn is the line and column of a byte of a text.
func placeIn(text string, at int) (line, column int) {
	before := text[:at]
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
}

// lineIn is what stands on one line of a file's text.
func lineIn(file, text string, line int) diag.Range {
	content := text
	for range line - 1 {
		_, content, _ = strings.Cut(content, "\n")
	}
	content, _, _ = strings.Cut(content, "\n")
	content = strings.TrimRight(content, "\r\t ")
	blank := len(content) - len(strings.TrimLeft(content, "\t "))
	r := rangeIn(file, text, line, blank+1)
	if n := utf8.RuneCountInString(content); n > blank {
		r.End = rangeIn(file, text, line, n).End
	}
	return r
}

// rangeIn is one character of a file's text.
func rangeIn(file, text string, line, column int) diag.Range {
	at := 0
	for range line - 1 {
		next := strings.IndexByte(text[at:], '\n')
		if next < 0 {
			break
		}
		at += next + 1
	}
	size := 0
	for i := range column {
		at += size
		_, size = utf8.DecodeRuneInString(text[at:])
		if size == 0 || text[at] == '\n' {
			column, size = i+1, 0
			break
		}
	}
	start := diag.Pos{Line: line, Column: column, Byte: at}
	stop := start
	if size > 0 {
		stop.Column++
		stop.Byte += size
	}
	return diag.Range{File: file, Start: start, End: stop}
}
