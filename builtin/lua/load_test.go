package lua

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/document"
)

// All that is wrong with a script is known when the pipeline is loaded, at its
// place in the file that the operator edits.
func TestDiagnostics(t *testing.T) {
	for _, c := range []struct {
		name    string
		values  map[string]any
		files   map[string]string
		code    diag.Code
		file    string
		line    int
		message string
	}{
		{name: "syntax in a heredoc", values: map[string]any{"code": "function process(e)\n  return e +\nend"},
			code: diag.LuaSyntax, file: "pipeline.hcl", line: 12, message: "near 'end'"},
		{name: "syntax in a script", values: map[string]any{"script": "lua/s.lua"}, files: map[string]string{"lua/s.lua": "\n\nlocal = 5\n"},
			code: diag.LuaSyntax, file: "lua/s.lua", line: 3, message: "near '='"},
		{name: "an end missing", values: map[string]any{"code": "function process(e)\n  if e then\n  return e\nend\n"},
			code: diag.LuaSyntax, file: "pipeline.hcl", line: 13, message: "at the end"},
		{name: "a label missing", values: map[string]any{"code": "function process(e)\n  goto nowhere\nend"},
			code: diag.LuaSyntax, file: "pipeline.hcl", message: "no visible label"},
		{name: "syntax in a module", values: map[string]any{"code": "require 'm'\nfunction process(e) return e end"}, files: map[string]string{"lua/m.lua": "return {\n  a b\n}"},
			code: diag.LuaSyntax, file: "lua/m.lua", line: 2, message: "near 'b'"},
		{name: "a module missing", values: map[string]any{"code": "\nlocal m = require 'nothing'\nfunction process(e) return e end"},
			code: diag.LuaModule, file: "pipeline.hcl", line: 11, message: "no module nothing"},
		{name: "a module outside", values: map[string]any{"code": "local m = require '../m'\nfunction process(e) return e end"}, files: map[string]string{"m.lua": "return {}"},
			code: diag.LuaModule, file: "pipeline.hcl", line: 10, message: "no module ../m"},
		{name: "a module by variable", values: map[string]any{"code": "local n = 'xml'\nlocal m = require(n)\nfunction process(e) return e end"},
			code: diag.LuaModule, file: "pipeline.hcl", line: 11, message: "written out"},
		{name: "no process", values: map[string]any{"code": "local function process(e) return e end"},
			code: diag.LuaNoProcess, file: "pipeline.hcl", message: "no function process"},
		{name: "a chunk that fails", values: map[string]any{"code": "\nerror('not today')\nfunction process(e) return e end"},
			code: diag.LuaLoad, file: "pipeline.hcl", line: 1, message: "pipeline.hcl:11: not today"},
		{name: "a script's chunk that fails", values: map[string]any{"script": "lua/s.lua"}, files: map[string]string{"lua/s.lua": "local m = require 'm'\nm.go()\n", "m.lua": "return {\n  go = function()\n    error('no')  \n  end\n}\n"},
			code: diag.LuaLoad, file: "m.lua", line: 3, message: "Lua: no"},
		{name: "a module misspelled", values: map[string]any{"code": "local m = require 'Jason'\nfunction process(e) return e end"},
			code: diag.LuaModule, file: "pipeline.hcl", line: 10, message: "no module Jason"},
		{name: "a chunk that runs on", values: map[string]any{"timeout": 20 * time.Millisecond, "code": "while true do end"},
			code: diag.LuaLoad, file: "pipeline.hcl", message: "longer than"},
		{name: "modules in a circle", values: map[string]any{"code": "require 'a'\nfunction process(e) return e end"},
			files: map[string]string{"a.lua": "require 'b'", "b.lua": "require 'a'"},
			code:  diag.LuaLoad, file: "b.lua", line: 1, message: "module a requires itself"},
		{name: "a script missing", values: map[string]any{"script": "lua/none.lua"},
			code: diag.MissingFile, file: "pipeline.hcl", message: "no script lua/none.lua"},
		{name: "neither", code: diag.MissingAttribute, file: "pipeline.hcl", message: "neither"},
		{name: "both", values: map[string]any{"script": "lua/s.lua", "code": "x"}, code: diag.InvalidValue, file: "pipeline.hcl", message: "both"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := configOf(t, c.values, c.files)
			config.Ranges["script"], config.Ranges["code"] = config.Ranges[""], config.Ranges[""]
			_, err := newTransform(config)
			var d diag.Diagnostic
			if !errors.As(err, &d) {
				t.Fatalf("%v", err)
			}
			file, _ := filepath.Rel(config.Dir, d.Range.File)
			if d.Code != c.code || file != c.file || c.line > 0 && d.Range.Start.Line != c.line || !strings.Contains(d.Message, c.message) {
				t.Errorf("%s at %s:%d: %s", d.Code, file, d.Range.Start.Line, d.Message)
			}
		})
	}
}

// The place of a syntax error is that of the word it is about, in characters.
func TestSyntaxErrorPlaces(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"function process(e)\n  return e +\nend", "3:1-4 syntax error near 'end'"},
		{"local  = 5", "1:8-9 syntax error near '='"},
		{"for i = 1, do end", "1:12-14 syntax error near 'do'"},
		{"s = 'éé' if x then else elseif end", "1:25-31 syntax error near 'elseif'"},
		{"\tlocal é = 5", "1:8-9 invalid token near 'é'"},
		{"x = 'abc", "1:8-9 unterminated string at the end"},
		{"x = {\r\n 1,\r\n", "2:3-4 syntax error at the end"},
		{"x = 1 'é'", "1:9-10 syntax error near '''"},
		{"local x\n\ngoto a\n\n", "3:1-2 no visible label 'a' for <goto>"},
	} {
		_, errs := load(configOf(t, map[string]any{"script": "s.lua"}, map[string]string{"s.lua": c.text}))
		var d diag.Diagnostic
		if len(errs) != 1 || !errors.As(errs[0], &d) {
			t.Errorf("%q: %v", c.text, errs)
			continue
		}
		got := fmt.Sprintf("%d:%d-%d %s", d.Range.Start.Line, d.Range.Start.Column, d.Range.End.Column, strings.TrimPrefix(d.Message, "Lua: "))
		if got != c.want {
			t.Errorf("%q: %s, want %s", c.text, got, c.want)
		}
	}
}

// All of a program's errors come together.
func TestAllDiagnostics(t *testing.T) {
	_, errs := load(configOf(t, map[string]any{"code": "require 'a'\nrequire 'b'\nrequire 'c'\nfunction process() end"},
		map[string]string{"a.lua": "x y", "c.lua": "require 'd'"}))
	if len(errs) != 3 {
		t.Errorf("%v", errs)
	}
}

// A module beside the pipeline wins over lua/ beside it, that over the binary,
// and all of them over Go.
func TestRequireOrder(t *testing.T) {
	code := "local m = require 'json' local w = require 'windows_xml' function process(e) return { m = m.encode and 'go' or m, w = w.event and 'built in' or w } end"
	for _, c := range []struct {
		files map[string]string
		want  string
	}{
		{nil, `{"m":"go","w":"built in"}`},
		{map[string]string{"lua/json.lua": "return { 'below' }", "lua/windows_xml.lua": "return { 'below' }"}, `{"m":["below"],"w":["below"]}`},
		{map[string]string{"lua/json.lua": "return { 'below' }", "json.lua": "return { 'beside' }"}, `{"m":["beside"],"w":"built in"}`},
	} {
		out, _, err := run(workerOf(t, configOf(t, map[string]any{"code": code}, c.files)), `{}`)
		if err != nil || out[0] != c.want {
			t.Errorf("%v: %v %v", c.files, out, err)
		}
	}
}

// One compiled program serves all workers, each with a state of its own.
func TestWorkersShareOnlyTheProgram(t *testing.T) {
	tr, err := newTransform(configOf(t, map[string]any{"code": "local n = 0 function process(e) n = n + 1 return { n = n } end"}, nil))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan string, 4)
	for range cap(done) {
		w := startWorker(t, tr)
		go func() {
			last := ""
			for range 200 {
				out, _, err := run(w, `{}`)
				if err != nil {
					last = err.Error()
					break
				}
				last = out[0]
			}
			done <- last
		}()
	}
	for range cap(done) {
		if got := <-done; got != `{"n":200}` {
			t.Error(got)
		}
	}
}

func TestChecksOfAttributes(t *testing.T) {
	good := map[string][]any{
		"config":  {document.NewObject(nil), document.NewArray(nil)},
		"timeout": {time.Millisecond},
		"memory":  {int64(1 << 20)},
	}
	bad := map[string][]any{
		"config":  {document.NewText("x"), document.NewInt(1)},
		"timeout": {time.Duration(0), -time.Second},
		"memory":  {int64(0), int64(1<<20 - 1)},
	}
	for _, attr := range spec.Attrs {
		for _, v := range good[attr.Name] {
			if err := attr.Check(v); err != nil {
				t.Errorf("%s: %v", attr.Name, err)
			}
		}
		for _, v := range bad[attr.Name] {
			if attr.Check(v) == nil {
				t.Errorf("%s = %v is taken", attr.Name, v)
			}
		}
	}
}
