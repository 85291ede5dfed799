package lang_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/lang"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// pipeline writes files (name, content, name, content …) and is the first's path.
func pipeline(t testing.TB, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		name := filepath.Join(dir, files[i])
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(files[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, files[0])
}

func load(t testing.TB, path string, change func(*lang.Options)) *plan.Plan {
	t.Helper()
	p, list := tryLoad(path, change)
	for _, d := range list {
		if d.Severity == diag.Error {
			t.Fatalf("%v", d)
		}
	}
	return p
}

func tryLoad(path string, change func(*lang.Options)) (*plan.Plan, diag.List) {
	o := lang.Options{Mode: lang.Validate, Specs: specs, StateDir: "/state", Env: func(string) (string, bool) { return "", false }}
	if change != nil {
		change(&o)
	}
	return lang.Load(path, o)
}

func node(t testing.TB, p *plan.Plan, address string) *plan.Node {
	t.Helper()
	for _, n := range p.Nodes {
		if n.Address == address {
			return n
		}
	}
	t.Fatalf("there is no %s", address)
	return nil
}

func addresses(p *plan.Plan) (list []string) {
	for _, n := range p.Nodes {
		list = append(list, n.Address)
	}
	return list
}

func ports(n *plan.Node) (list []string) {
	for _, p := range n.Inputs {
		list = append(list, p.String())
	}
	return list
}

var noToken ack.Token

const whole = `
variable "brokers" {
  type    = list(string)
  default = ["a:9092", "b:9092"]
}

runtime {
  workers          = 3
  memory           = "1GiB"
  shutdown_timeout = "1m"
}

queue {
  max_events = 500
  when_full  = "drop_oldest"
}

source "file" "alerts" {
  path        = "alerts.json"
  description = "all alerts"
  rate        = "300/m"
}

filter "windows" {
  from  = source.file.alerts
  where = "rule.level > 3"
}

transform "lua" "xml" {
  from   = filter.windows
  script = "lua/x.lua"
  config = { z = 1, a = [true, null] }
}

sink "kafka" "dfn" {
  from    = [transform.lua.xml, filter.windows.rejected]
  brokers = var.brokers
  topic   = "dfn-{{ agent.name }}"
  linger  = "5ms"
  share   = 0.5
  queue { max_bytes = "1MiB" }
  retry { max = "1m" }
  tls {
    ca_file = "ca.pem"
  }
}

sink "stdout" "receipt" {
  from     = sink.kafka.dfn.delivered
  required = false
  errors   = "drop"
  payload  = { b = "{{ id }}", a = 1, "x.y" = ["{{ rule.level }}", null] }
}

sink "file" "dead" {
  from = errors
  path = "dead.jsonl"
}
`

func TestPlan(t *testing.T) {
	path := pipeline(t, "dfn.hcl", whole, "lua/x.lua", "function process() end", "ca.pem", "x")
	dir := filepath.Dir(path)
	p := load(t, path, nil)
	if p.Name != "dfn" || p.Dir != dir || p.State != "/state/dfn" {
		t.Errorf("%q %q %q", p.Name, p.Dir, p.State)
	}
	wantRuntime := plan.Runtime{Workers: 3, Memory: 1 << 30, ShutdownTimeout: time.Minute, DrainTimeout: 5 * time.Second, StatsInterval: time.Minute}
	if p.Runtime != wantRuntime {
		t.Errorf("%+v", p.Runtime)
	}
	if d := cmp.Diff([]string{"source.file.alerts", "filter.windows", "transform.lua.xml", "sink.kafka.dfn", "sink.stdout.receipt", "sink.file.dead"}, addresses(p)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{filepath.Join(dir, "ca.pem"), path, filepath.Join(dir, "lua/x.lua")}, p.Reads); d != "" {
		t.Error(d)
	}
	source, kafka, receipt, dead := node(t, p, "source.file.alerts"), node(t, p, "sink.kafka.dfn"), node(t, p, "sink.stdout.receipt"), node(t, p, "sink.file.dead")
	if source.Description != "all alerts" || source.Config.Rate("rate") != 5 || !source.Config.Bool("follow") || source.Config.String("path") != filepath.Join(dir, "alerts.json") {
		t.Errorf("%+v", source.Config.Values)
	}
	if want := (plan.Queue{MaxEvents: 500, MaxBytes: 16 << 20, WhenFull: plan.DropOldest}); source.Queue != want {
		t.Errorf("%+v", source.Queue)
	}
	if want := (plan.Queue{MaxEvents: 500, MaxBytes: 1 << 20, WhenFull: plan.DropOldest}); kafka.Queue != want {
		t.Errorf("%+v", kafka.Queue)
	}
	if want := (plan.Retry{Min: 100 * time.Millisecond, Max: time.Minute}); kafka.Retry != want {
		t.Errorf("%+v", kafka.Retry)
	}
	if !kafka.Required || kafka.DropErrors || receipt.Required || !receipt.DropErrors {
		t.Error("required or errors")
	}
	if got := kafka.Config; !slices.Equal(got.Strings("brokers"), []string{"a:9092", "b:9092"}) || got.Duration("linger") != 5*time.Millisecond || got.Number("share") != 0.5 ||
		got.Block("tls").String("ca_file") != filepath.Join(dir, "ca.pem") {
		t.Errorf("%+v", got.Values)
	}
	if got := string(node(t, p, "transform.lua.xml").Config.Any("config").AppendJSON(nil)); got != `{"z":1,"a":[true,null]}` {
		t.Error(got)
	}
	if got := dead.Config.String("path"); got != "/state/dfn/dead.jsonl" {
		t.Error(got)
	}
	if d := cmp.Diff([]string{"transform.lua.xml", "filter.windows.rejected"}, ports(kafka)); d != "" {
		t.Error(d)
	}
	// All errors, but those of the listener and of what drops its own.
	if d := cmp.Diff([]string{"source.file.alerts.errors", "filter.windows.errors", "transform.lua.xml.errors", "sink.kafka.dfn.errors"}, ports(dead)); d != "" {
		t.Error(d)
	}
	e := event.New(&event.Stream{}, 0, []byte(`{"id":"7","rule":{"level":12.0},"agent":{"name":"w"}}`), time.Time{}, noToken)
	v, err := receipt.Payload.Value(e)
	if got := string(v.AppendJSON(nil)); err != nil || got != `{"b":"7","a":1,"x.y":[12.0,null]}` {
		t.Error(got, err)
	}
	topic, err := kafka.Config.Template("topic").AppendText(nil, e)
	if string(topic) != "dfn-w" || err != nil {
		t.Error(string(topic), err)
	}
	if ok, err := node(t, p, "filter.windows").Where.True(e); !ok || err != nil {
		t.Error(ok, err)
	}
}

func TestDirectoryIsOnePipeline(t *testing.T) {
	path := pipeline(t, "p/a.hcl", `sink "stdout" "out" { from = filter.a }`, "p/b.hcl", "filter \"a\" {\n  from = source.stdin.x\n  where = \"true\"\n}", "p/c.hcl", `source "stdin" "x" {}`,
		"p/c.test.hcl", "test \"x\" {\n  input \"source.stdin.x\" { text = \"{}\" }\n  expect \"sink.stdout.out\" { count = 1 }\n}", "p/notes.txt", "}")
	p := load(t, filepath.Dir(path), nil)
	if p.Name != "p" || len(p.Tests) != 1 {
		t.Errorf("%q, %d tests", p.Name, len(p.Tests))
	}
	if d := cmp.Diff([]string{"source.stdin.x", "filter.a", "sink.stdout.out"}, addresses(p)); d != "" {
		t.Error(d)
	}
}

func TestErrorsOfTwoListeners(t *testing.T) {
	p := load(t, pipeline(t, "p.hcl", `
source "stdin" "x" {}
sink "stdout" "out" { from = source.stdin.x }
sink "file" "a" {
  from = errors
  path = "a"
}
filter "bad" {
  from  = errors
  where = "true"
}
sink "file" "b" {
  from = [filter.bad, sink.file.a.errors]
  path = "b"
}
`), nil)
	for _, address := range []string{"sink.file.a", "filter.bad"} {
		if d := cmp.Diff([]string{"source.stdin.x.errors", "sink.stdout.out.errors"}, ports(node(t, p, address))); d != "" {
			t.Error(address, d)
		}
	}
}

func TestDisabled(t *testing.T) {
	p := load(t, pipeline(t, "p.hcl", `
variable "on" {
  type    = bool
  default = false
}
source "stdin" "x" {}
source "file" "y" {
  enabled = var.on
}
filter "f" {
  from    = source.stdin.x
  enabled = var.on
  where   = "rule.level > 3"
}
transform "lua" "t" {
  from    = [filter.f, source.file.y]
  enabled = var.on
  script  = "nowhere.lua"
}
filter "behind_y" {
  from  = source.file.y
  where = "true"
}
sink "stdout" "behind" { from = filter.behind_y }
sink "kafka" "k" {
  from    = transform.lua.t
  enabled = var.on
  topic   = "x"
}
sink "stdout" "receipt" { from = sink.kafka.k.delivered }
sink "kafka" "l" {
  from    = [transform.lua.t, filter.behind_y]
  brokers = ["a:1"]
  topic   = "x"
  tls { enabled = var.on }
}
`), nil)
	if d := cmp.Diff([]string{"source.stdin.x", "filter.f", "transform.lua.t", "sink.kafka.l"}, addresses(p)); d != "" {
		t.Error(d)
	}
	if f, l := node(t, p, "filter.f"), node(t, p, "sink.kafka.l"); !f.Disabled || l.Disabled || l.Config.Block("tls") != nil {
		t.Error("disabled", f.Disabled, l.Disabled, l.Config.Block("tls"))
	}
	if d := cmp.Diff([]string{"filter.f"}, ports(node(t, p, "transform.lua.t"))); d != "" {
		t.Error(d)
	}
}

func TestFingerprint(t *testing.T) {
	for name, c := range map[string]struct {
		from, to string
		changed  []string
	}{
		"nothing":          {"", "", nil},
		"a comment":        {"runtime {", "# runtime\n\nruntime {", nil},
		"description":      {"all alerts", "some alerts", nil},
		"where":            {"rule.level > 3", "rule.level > 4", []string{"filter.windows"}},
		"from":             {"[transform.lua.xml, filter.windows.rejected]", "transform.lua.xml", nil},
		"template":         {"dfn-{{", "x-{{", []string{"sink.kafka.dfn"}},
		"payload":          {"b = \"{{ id }}\"", "c = \"{{ id }}\"", []string{"sink.stdout.receipt"}},
		"order of payload": {`b = "{{ id }}", a = 1`, `a = 1, b = "{{ id }}"`, []string{"sink.stdout.receipt"}},
		"variable":         {`"a:9092", "b:9092"`, `"a:9092"`, []string{"sink.kafka.dfn"}},
		"queue of a sink":  {"1MiB", "2MiB", []string{"sink.kafka.dfn"}},
		"queue of all":     {"max_events = 500", "max_events = 501", []string{"source.file.alerts", "sink.kafka.dfn", "sink.stdout.receipt", "sink.file.dead"}},
		"block":            {`ca_file = "ca.pem"`, `enabled = false`, []string{"sink.kafka.dfn"}},
		"script":           {"process()", "process(e)", []string{"transform.lua.xml"}},
		"certificate":      {"\x00x", "\x00y", []string{"sink.kafka.dfn"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			var plans []*plan.Plan
			for _, edit := range []bool{false, true} {
				content := map[string]string{"dfn.hcl": whole, "lua/x.lua": "function process() end", "ca.pem": "\x00x"}
				for file, text := range content {
					if edit {
						text = strings.Replace(text, c.from, c.to, 1)
					}
					if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(file)), 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				plans = append(plans, load(t, filepath.Join(dir, "dfn.hcl"), nil))
			}
			var changed []string
			for i, n := range plans[0].Nodes {
				if plans[1].Nodes[i].Fingerprint != n.Fingerprint {
					changed = append(changed, n.Address)
				}
			}
			if d := cmp.Diff(c.changed, changed); d != "" {
				t.Error(d)
			}
		})
	}
}

// What an expression takes from variables and locals is part of what it does.
func TestFingerprintOfExpressions(t *testing.T) {
	path := pipeline(t, "p.hcl", `
variable "a" { default = "1" }
variable "b" { default = "1" }
locals { c = "${var.b}!" }
source "stdin" "x" {}
filter "a" {
  from  = source.stdin.x
  where = "x == var.a"
}
filter "c" {
  from  = source.stdin.x
  where = "x == local.c"
}
sink "stdout" "out" {
  from    = [filter.a, filter.c]
  payload = "{{ x }}"
}
`)
	first := load(t, path, nil)
	for variable, want := range map[string]string{"a": "filter.a", "b": "filter.c"} {
		second := load(t, path, func(o *lang.Options) { o.Vars = map[string]string{variable: "2"} })
		for i, n := range first.Nodes {
			if changed := second.Nodes[i].Fingerprint != n.Fingerprint; changed != (n.Address == want) {
				t.Errorf("var.%s: %s changed is %v", variable, n.Address, changed)
			}
		}
	}
}

func TestEmbeddedScript(t *testing.T) {
	path := pipeline(t, "pipelines/p.hcl", `
source "stdin" "x" {}
transform "lua" "a" {
  from   = source.stdin.x
  script = "lua/shared.lua"
}
transform "lua" "b" {
  from   = source.stdin.x
  script = "../lua/shared.lua"
}
sink "stdout" "out" { from = [transform.lua.a, transform.lua.b] }
`)
	embedded := func(o *lang.Options) { o.Embedded = options(t, path).Embedded }
	p := load(t, path, embedded)
	before := node(t, p, "transform.lua.a").Fingerprint
	script := filepath.Join(filepath.Dir(path), "lua/shared.lua")
	if !slices.Contains(p.Reads, script) {
		t.Errorf("the place where the script would be is not watched: %v", p.Reads)
	}
	if got := node(t, p, "transform.lua.b").Transform.(transform).script; !strings.Contains(got, "return e") {
		t.Error(got)
	}
	if err := os.MkdirAll(filepath.Dir(script), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(script, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	p = load(t, path, embedded)
	if got := node(t, p, "transform.lua.a"); got.Transform.(transform).script != "mine" || got.Fingerprint == before {
		t.Error("the pipeline's own script doesn't win")
	}
}

func TestCodeStandsInItsFile(t *testing.T) {
	p := load(t, pipeline(t, "p.hcl", "source \"stdin\" \"x\" {}\n\ntransform \"lua\" \"a\" {\n  from = source.stdin.x\n  code = <<-LUA\n    function process(e)\n      return é\n    end\n  LUA\n}\n\nsink \"stdout\" \"out\" { from = transform.lua.a }\n"), nil)
	c := node(t, p, "transform.lua.a").Config.Code("code")
	if c.Text != "function process(e)\n  return é\nend" {
		t.Errorf("%q", c.Text)
	}
	if r := c.Position(2, 10); r.Start.Line != 7 || r.Start.Column != 14 {
		t.Error(r)
	}
}

// Objects of templates stay in the order written, also behind a local; what
// load time computes is sorted, and its texts are templates all the same.
func TestTemplates(t *testing.T) {
	p := load(t, pipeline(t, "p.hcl", `
variable "n" { default = "9" }
locals {
  written  = { z = "{{ id }}", "a.b" = "{{ rule.level }}", n = var.n, deep = { y = 1, x = ["{{ id }}"] } }
  computed = merge({ z = "{{ id }}" }, { "a.b" = 1 })
  text     = <<-X
    {{ id }}
  X
}
source "stdin" "x" {}
transform "map" "written" {
  from = source.stdin.x
  set  = local.written
}
transform "map" "computed" {
  from = source.stdin.x
  set  = local.computed
}
sink "kafka" "k" {
  from    = [transform.map.written, transform.map.computed]
  brokers = ["a:1"]
  topic   = "${var.n}{{ id }}"
  key     = local.text
  headers = { a = "{{ id }}" }
  payload = local.computed
}
`), nil)
	e := event.New(&event.Stream{}, 0, []byte(`{"id":7,"rule":{"level":12}}`), time.Time{}, noToken)
	show := func(list []component.NamedTemplate) (out []string) {
		for _, m := range list {
			v, err := m.Template.Value(e)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, strings.Join(m.Path, "/")+"="+string(v.AppendJSON(nil)))
		}
		return out
	}
	if d := cmp.Diff([]string{"z=7", "a/b=12", `n="9"`, `deep={"y":1,"x":[7]}`}, show(node(t, p, "transform.map.written").Config.Templates("set"))); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"a/b=1", "z=7"}, show(node(t, p, "transform.map.computed").Config.Templates("set"))); d != "" {
		t.Error(d)
	}
	k := node(t, p, "sink.kafka.k")
	for name, want := range map[string]string{"topic": `"97"`, "key": `7`} {
		v, err := k.Config.Template(name).Value(e)
		if err != nil || string(v.AppendJSON(nil)) != want {
			t.Error(name, string(v.AppendJSON(nil)), err)
		}
	}
	if v, err := k.Payload.Value(e); err != nil || string(v.AppendJSON(nil)) != `{"a.b":1,"z":7}` {
		t.Error(string(v.AppendJSON(nil)), err)
	}
}

// variables gives values of variables.
func variables(vars map[string]string) func(*lang.Options) {
	return func(o *lang.Options) { o.Vars = vars }
}

func TestForEach(t *testing.T) {
	path := pipeline(t, "p.hcl", `
variable "managers" {
  type    = map(object({ path = string, on = optional(bool, true) }))
  default = {
    "b/1" = { path = "b.json" }
    a     = { path = "/a.json" }
    c     = { path = "c.json", on = false }
  }
}
variable "token" {
  type      = string
  sensitive = true
  default   = "hidden value"
}
source "file" "alerts" {
  for_each = var.managers
  path     = each.value.path
  enabled  = each.value.on
  id       = "${each.key}:{{ id }}"
  queue { max_events = length(each.key) }
}
source "file" "one" {
  for_each = null
  path     = "one.json"
}
source "stdin" "list" {
  for_each    = ["y", "x"]
  description = "${each.key} ${each.value} ${var.token}"
}
sink "stdout" "all" { from = [source.file.alerts, source.file.one, source.stdin.list] }
sink "stdout" "some" { from = [source.file.alerts["a"], source.stdin.list["x"].errors] }
sink "file" "dead" {
  from = errors
  path = "dead.jsonl"
}
`)
	p := load(t, path, nil)
	dir := filepath.Dir(path)
	// An object's keys are in order, a list's as written.
	if d := cmp.Diff([]string{`source.file.alerts["a"]`, `source.file.alerts["b/1"]`, "source.file.one", `source.stdin.list["y"]`, `source.stdin.list["x"]`, "sink.stdout.all", "sink.stdout.some", "sink.file.dead"}, addresses(p)); d != "" {
		t.Error(d)
	}
	a, b, x := node(t, p, `source.file.alerts["a"]`), node(t, p, `source.file.alerts["b/1"]`), node(t, p, `source.stdin.list["x"]`)
	if a.Group != "source.file.alerts" || a.Config.Address != a.Address || a.Config.String("path") != "/a.json" || b.Config.String("path") != filepath.Join(dir, "b.json") || b.Queue.MaxEvents != 3 {
		t.Errorf("%+v %+v", a, b)
	}
	if x.Description != "x x hidden value" || node(t, p, "source.file.one").Group != "" {
		t.Errorf("%+v", x)
	}
	e := event.New(&event.Stream{}, 0, []byte(`{"id":"7"}`), time.Time{}, noToken)
	if id, err := b.ID.AppendText(nil, e); string(id) != "b/1:7" || err != nil {
		t.Error(string(id), err)
	}
	for sink, want := range map[string][]string{
		"sink.stdout.all":  {a.Address, b.Address, "source.file.one", `source.stdin.list["y"]`, x.Address},
		"sink.stdout.some": {a.Address, x.Address + ".errors"},
		"sink.file.dead":   {a.Address + ".errors", b.Address + ".errors", "source.file.one.errors", `source.stdin.list["y"].errors`, x.Address + ".errors", "sink.stdout.all.errors", "sink.stdout.some.errors"},
	} {
		if d := cmp.Diff(want, ports(node(t, p, sink))); d != "" {
			t.Error(sink, d)
		}
	}
	// A key that comes or goes leaves the others as they are.
	more := load(t, path, variables(map[string]string{"managers": `{ a = { path = "/a.json" }, d = { path = "d.json" } }`}))
	if node(t, more, a.Address).Fingerprint != a.Fingerprint {
		t.Error("another key changes the source")
	}
	if other := load(t, path, variables(map[string]string{"managers": `{ a = { path = "/b.json" } }`})); node(t, other, a.Address).Fingerprint == a.Fingerprint {
		t.Error("another value doesn't change the source")
	}
	if n := node(t, more, `source.file.alerts["d"]`); n.Fingerprint == a.Fingerprint {
		t.Error("two sources are one")
	}
}

func TestForEachOfNothing(t *testing.T) {
	path := pipeline(t, "p.hcl", `
variable "names" { type = set(string) }
source "file" "some" {
  for_each = var.names
  path     = "${each.key}/${upper(each.value)}"
  enabled  = true
}
source "stdin" "in" {}
sink "stdout" "all" { from = [source.file.some, source.stdin.in] }
sink "stdout" "some" { from = source.file.some }
`)
	p := load(t, path, variables(map[string]string{"names": ""}))
	if d := cmp.Diff([]string{"source.stdin.in", "sink.stdout.all"}, addresses(p)); d != "" {
		t.Error(d)
	}
	// A graph shows what could not be told; nothing else can do without.
	p = load(t, path, func(o *lang.Options) { o.Mode = lang.Graph })
	if d := cmp.Diff([]string{"source.file.some", "source.stdin.in", "sink.stdout.all", "sink.stdout.some"}, addresses(p)); d != "" {
		t.Error(d)
	}
	if p, list := tryLoad(path, func(o *lang.Options) { o.Mode = lang.DryRun }); p != nil || len(list) != 1 || list[0].Code != diag.UnknownValue {
		t.Error(list)
	}
}
