package lang_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/lang"
)

// values loads locals and gives them as the config of a component, as JSON.
func values(t *testing.T, hcl string, files []string, change func(*lang.Options)) string {
	t.Helper()
	all := append([]string{"p.hcl", hcl + `
source "stdin" "x" {}
transform "lua" "t" {
  from   = source.stdin.x
  code   = "x"
  config = local.v
}
sink "stdout" "out" { from = transform.lua.t }
`}, files...)
	p := load(t, pipeline(t, all...), change)
	return string(node(t, p, "transform.lua.t").Config.Any("config").AppendJSON(nil))
}

func env(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
}

func TestVariables(t *testing.T) {
	list := "variable \"x\" { type = list(string) }\nlocals { v = var.x }\n"
	for name, c := range map[string]struct {
		hcl, raw, want string
	}{
		"text":             {"variable \"x\" {}\nlocals { v = var.x }\n", "a,b", `"a,b"`},
		"text that is any": {"variable \"x\" {}\nlocals { v = var.x }\n", "[null", `"[null"`},
		"number":           {"variable \"x\" { type = number }\nlocals { v = var.x }\n", "12", `12`},
		"bool":             {"variable \"x\" { type = bool }\nlocals { v = var.x }\n", "true", `true`},
		"null":             {"variable \"x\" { type = bool }\nlocals { v = [var.x] }\n", "\x00", `[null]`},
		"list by commas":   {list, "a, b,c", `["a","b","c"]`},
		"list of one":      {list, "a:9092", `["a:9092"]`},
		"list as written":  {list, `["a,1","b"]`, `["a,1","b"]`},
		"list of none":     {list, ``, `[]`},
		"list of numbers":  {"variable \"x\" { type = list(number) }\nlocals { v = var.x }\n", `1,2.5`, `[1,2.5]`},
		"object":           {"variable \"x\" { type = object({ a = string, b = optional(number, 3) }) }\nlocals { v = var.x }\n", `{ a = 1 }`, `{"a":"1","b":3}`},
		"default's list":   {"variable \"x\" { default = [\"q\"] }\nlocals { v = var.x }\n", `a,b`, `["a","b"]`},
		"default's text":   {"variable \"x\" { default = 3 }\nlocals { v = var.x }\n", `a`, `"a"`},
		"any":              {"variable \"x\" { type = any }\nlocals { v = var.x }\n", `{ a = [1] }`, `{"a":[1]}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := values(t, c.hcl, nil, func(o *lang.Options) { o.Vars = map[string]string{"x": c.raw} })
			if got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestWhereValuesComeFrom(t *testing.T) {
	const hcl = "variable \"x\" {\n  env     = \"OTHER\"\n  default = \"default\"\n}\nlocals { v = var.x }\n"
	all := map[string]string{"OTHER": "other", "ETL_VAR_x": "own"}
	none := map[string]string{}
	for name, c := range map[string]struct {
		env  map[string]string
		file bool
		flag bool
		want string
	}{
		"default":         {none, false, false, `"default"`},
		"env":             {map[string]string{"OTHER": "other"}, false, false, `"other"`},
		"ETL_VAR":         {all, false, false, `"own"`},
		"file":            {all, true, false, `"file"`},
		"flag":            {all, true, true, `"flag"`},
		"empty is a text": {map[string]string{"OTHER": ""}, false, false, `""`},
	} {
		t.Run(name, func(t *testing.T) {
			file := pipeline(t, "values.vars", "x = \"file\"\n")
			got := values(t, hcl, nil, func(o *lang.Options) {
				o.Env = env(c.env)
				if c.file {
					o.VarFiles = []string{file}
				}
				if c.flag {
					o.Vars = map[string]string{"x": "flag"}
				}
			})
			if got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestFunctions(t *testing.T) {
	for expr, want := range map[string]string{
		`coalesce(null, length([1]) > 0)`:              `true`,
		`concat(["a"], ["b"])`:                         `["a","b"]`,
		`[length("é"), length([1, 2]), length({})]`:    `[1,2,0]`,
		`lower("A") == "a" && upper("a") == "A"`:       `true`,
		`join(",", split(" ", "a b"))`:                 `"a,b"`,
		`format("%s-%03d", "a", 7)`:                    `"a-007"`,
		`can(regex("^[^:]+$", "a:b"))`:                 `false`,
		`try({ a = 1 }.b, "none")`:                     `"none"`,
		`contains(["a"], "a")`:                         `true`,
		`keys({ b = 1, a = 2 })`:                       `["a","b"]`,
		`merge({ a = 1 }, { b = 2 })`:                  `{"a":1,"b":2}`,
		`tolist(toset(["b", "a", "b"]))`:               `["a","b"]`,
		`jsonencode({ a = [1, "x"] })`:                 `"{\"a\":[1,\"x\"]}"`,
		`jsondecode("{\"b\": 1}").b`:                   `1`,
		`trimspace(" a ")`:                             `"a"`,
		`replace("a.b", ".", "-")`:                     `"a-b"`,
		`env("SET")`:                                   `"yes"`,
		`env("UNSET", "no")`:                           `"no"`,
		`file("note.txt")`:                             `"noted"`,
		`sha256("")`:                                   `"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"`,
		`base64decode(base64encode("é"))`:              `"é"`,
		`[startswith("ab", "a"), endswith("ab", "b")]`: `[true,true]`,
		`[for x in ["a", "b"] : upper(x) if x != "b"]`: `["A"]`,
		`{ for k, v in { a = 1 } : v => k }`:           `{"1":"a"}`,
		`"${1 + 2}%{ if true } x%{ endif }"`:           `"3 x"`,
		`12345678901234567890`:                         `12345678901234567890`,
		`0.1`:                                          `0.1`,
	} {
		t.Run(expr, func(t *testing.T) {
			got := values(t, "locals { v = "+expr+" }\n", []string{"note.txt", "noted"}, func(o *lang.Options) { o.Env = env(map[string]string{"SET": "yes"}) })
			if got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

// Tests, dry runs and graphs do without some values; what must be known says so.
func TestVariablesWithoutValue(t *testing.T) {
	path := pipeline(t, "p.hcl", `
variable "brokers" { type = list(string) }
variable "topic" {}
variable "ca" {}
variable "level" { type = number }
locals { prefix = "${var.topic}-x" }

source "stdin" "x" {}

filter "f" {
  from  = source.stdin.x
  where = "rule.level > var.level"
}

sink "kafka" "k" {
  from    = filter.f
  brokers = var.brokers
  topic   = "${local.prefix}.{{ id }}"
  key     = "{{ var.topic }}"
  tls {
    ca_file = var.ca
  }
}

test "one" {
  vars = { level = 3 }
  input "source.stdin.x" { text = "{}" }
  expect "sink.kafka.k" { where = "x == var.level" }
}

test "other" {
  vars = { topic = "t", level = null }
  input "source.stdin.x" { text = "{}" }
  expect "sink.kafka.k" { count = 0 }
}
`)
	mode := func(m lang.Mode, test string) func(*lang.Options) {
		return func(o *lang.Options) { o.Mode, o.Test = m, test }
	}
	p := load(t, path, mode(lang.Graph, ""))
	if len(p.Tests) != 2 || p.Tests[1].Vars["level"] != "\x00" || p.Tests[0].Vars["level"] != "3" {
		t.Fatalf("%+v", p.Tests)
	}
	p = load(t, path, mode(lang.Test, "one"))
	k := node(t, p, "sink.kafka.k")
	if len(p.Tests) != 1 || p.Tests[0].Expects[0].Where == nil {
		t.Errorf("%+v", p.Tests)
	}
	if k.Config.Known("brokers") || k.Config.Has("brokers") || k.Config.Known("topic") || k.Config.Block("tls").Known("ca_file") {
		t.Errorf("%+v", k.Config.Unknown)
	}
	if text, ok := k.Config.Template("topic").Constant(); !ok || text != "(var.topic has no value)" {
		t.Errorf("%q", text)
	}
	_, list := tryLoad(path, mode(lang.DryRun, ""))
	if len(list) != 1 || list[0].Code != diag.UnknownValue {
		t.Error(list)
	}
	_, list = tryLoad(path, nil)
	codes := map[diag.Code]int{}
	for _, d := range list {
		codes[d.Code]++
	}
	if d := cmp.Diff(map[diag.Code]int{diag.NoValue: 4}, codes); d != "" {
		t.Error(d)
	}
}

func TestSensitiveIsNotTold(t *testing.T) {
	_, list := tryLoad(pipeline(t, "p.hcl", `
variable "token" {
  sensitive = true
  default   = "hunter2"
}
locals {
  t = "x${var.token}"
  n = local.t + 1
}
runtime { drain_timeout = var.token }
queue { when_full = local.t }
source "stdin" "x" {}
sink "kafka" "out" {
  from    = source.stdin.x
  brokers = [local.t]
  topic   = "a"
  linger  = upper(local.t)
}
`), nil)
	if len(list) < 4 {
		t.Error(list)
	}
	for _, d := range list {
		if strings.Contains(strings.ToLower(d.Message+d.Suggestion), "hunter2") {
			t.Error(d)
		}
	}
}
