package lua

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/agext/levenshtein"
	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
	"github.com/yuin/gopher-lua/parse"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
)

// program is a script with all modules it requires, compiled once and shared
// by all workers.
type program struct {
	main    *lua.FunctionProto
	modules map[string]*lua.FunctionProto // by the name that require takes
}

// source is one Lua text and where it stands.
type source struct {
	text string
	name string // as messages show it: relative to the pipeline's directory
	at   func(line, column int) diag.Range
}

// loader reads and compiles a program.
type loader struct {
	config  *component.Config
	program *program
	errs    []error
}

// load compiles the script or code of a configuration. The errors are
// diagnostics at their places.
func load(c *component.Config) (*program, []error) {
	l := &loader{config: c, program: &program{modules: map[string]*lua.FunctionProto{}}}
	src, err := l.main()
	if err != nil {
		return nil, []error{err}
	}
	l.program.main = l.compile(src)
	if len(l.errs) > 0 {
		return nil, l.errs
	}
	return l.program, nil
}

// main is the text of the configuration's own script.
func (l *loader) main() (source, error) {
	c := l.config
	code := c.Code("code")
	switch {
	case code != nil && c.Has("script"):
		return source{}, c.Error("code", diag.InvalidValue, "there is both a script and code", "keep one of the two")
	case code != nil:
		return source{text: code.Text, name: l.shown(code.File), at: code.Position}, nil
	case !c.Has("script"):
		return source{}, c.Error("", diag.MissingAttribute, "there is neither a script nor code", `write script = "lua/NAME.lua", or code = <<-LUA`)
	}
	src, err := l.read(c.String("script"))
	if errors.Is(err, fs.ErrNotExist) {
		return source{}, c.Error("script", diag.MissingFile, "there is no script "+l.shown(c.String("script")), "")
	}
	if err != nil {
		return source{}, c.Error("script", diag.UnreadableFile, "reading the script: "+err.Error(), "")
	}
	return src, nil
}

// read is the file called name, absolute or relative to the pipeline.
func (l *loader) read(name string) (source, error) {
	content, display, err := l.config.ReadFile(name)
	if err != nil {
		return source{}, err
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(l.config.Dir, name)
	}
	text := strings.TrimPrefix(string(content), "\ufeff")
	at := func(line, column int) diag.Range { return rangeIn(name, text, line, column) }
	return source{text: text, name: display, at: at}, nil
}

// module finds what require "a.b" means: a/b.lua beside the pipeline, lua/a/b.lua
// beside it, or in the binary.
func (l *loader) module(name string) (source, bool, error) {
	for _, part := range strings.Split(name, ".") {
		if part == "" || strings.Trim(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
			return source{}, false, nil
		}
	}
	file := filepath.FromSlash(strings.ReplaceAll(name, ".", "/") + ".lua")
	for _, name := range []string{file, filepath.Join("lua", file)} {
		src, err := l.read(name)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return src, err == nil, err
		}
	}
	return source{}, false, nil
}

// compile makes the function of a text, and those of the modules it requires.
func (l *loader) compile(src source) *lua.FunctionProto {
	chunk, err := parse.Parse(strings.NewReader(src.text), src.name)
	if err != nil {
		l.errs = append(l.errs, syntaxError(src, err))
		return nil
	}
	proto, err := lua.Compile(chunk, src.name)
	if err != nil {
		l.errs = append(l.errs, syntaxError(src, err))
		return nil
	}
	move(proto, src.at)
	for _, r := range requires(chunk) {
		l.require(src, r)
	}
	return proto
}

func (l *loader) require(src source, r requirement) {
	if _, ok := l.program.modules[r.name]; ok {
		return
	}
	found, ok, err := l.module(r.name)
	switch {
	case err != nil:
		l.errs = append(l.errs, diag.Diagnostic{Code: diag.UnreadableFile, Range: src.at(r.line, 1), Message: "reading module " + r.name + ": " + err.Error()})
	case ok:
		l.program.modules[r.name] = nil // a circle ends here
		l.program.modules[r.name] = l.compile(found)
	case !isNative(r.name):
		message := "there is no module " + r.name
		suggestion := "a module stands beside the pipeline or in lua/ beside it; built in are " + strings.Join(nativeNames(), ", ")
		if near := nearest(r.name); near != "" {
			suggestion = "did you mean " + near + "?"
		}
		if r.name == "" {
			message, suggestion = "require takes a name that is written out", `write require "NAME", so that the module is known when the pipeline is loaded`
		}
		l.errs = append(l.errs, diag.Diagnostic{Code: diag.LuaModule, Range: src.at(r.line, 1), Message: message, Suggestion: suggestion})
	}
}

// nearest is the name of a module in Go that name may have been meant to be.
func nearest(name string) string {
	for _, known := range nativeNames() {
		if levenshtein.Distance(strings.ToLower(name), known, nil) <= 1+len(known)/3 {
			return known
		}
	}
	return ""
}

// shown is path as messages show it.
func (l *loader) shown(path string) string {
	if rel, err := filepath.Rel(l.config.Dir, path); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return path
}

// move gives the instructions of a function their lines in the file that the
// operator edits, so that all messages and tracebacks have them.
func move(p *lua.FunctionProto, at func(line, column int) diag.Range) {
	line := func(n int) int {
		if n <= 0 {
			return n
		}
		return at(n, 1).Start.Line
	}
	for i, n := range p.DbgSourcePositions {
		p.DbgSourcePositions[i] = line(n)
	}
	p.LineDefined, p.LastLineDefined = line(p.LineDefined), line(p.LastLineDefined)
	for _, inner := range p.FunctionPrototypes {
		move(inner, at)
	}
}

// requirement is one call of require with a name that is written out; another
// argument is an empty name.
type requirement struct {
	name string
	line int
}

// requires finds the calls of require in a chunk.
func requires(chunk []ast.Stmt) (found []requirement) {
	walk(chunk, func(call *ast.FuncCallExpr) {
		if name, ok := call.Func.(*ast.IdentExpr); !ok || name.Value != "require" {
			return
		}
		r := requirement{line: call.Line()}
		if len(call.Args) == 1 {
			if text, ok := call.Args[0].(*ast.StringExpr); ok {
				r.name = text.Value
			}
		}
		found = append(found, r)
	})
	return found
}
