package lang_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/lang"
	"github.com/wazuh-etl/etl/runtime/plan"
)

func TestTests(t *testing.T) {
	path := pipeline(t, "p.hcl", `
source "file" "alerts" { path = "alerts.json" }
filter "f" {
  from  = source.file.alerts
  where = "true"
}
sink "kafka" "k" {
  from    = filter.f
  brokers = ["a:1"]
  topic   = "x"
}
`, "p.test.hcl", `
test "all of it" {
  now = "2025-06-02T21:47:23.199+08:00"
  input "source.file.alerts" { file = "alerts/*.json" }
  input "source.file.alerts" {
    text = <<-X
      {"b": 1}
    X
  }
  input "source.file.alerts" {
    after = "1m30s"
    event = [{ b = 1, a = null }, {}]
  }
  mock "sink.kafka.k" { error = "too large" }
  expect "sink.kafka.k.errors" {
    count  = 2
    where  = "meta.error.message == 'too large'"
    golden = "golden/a.jsonl"
  }
  expect "filter.f.rejected" { equals = { z = 1, a = [1.50] } }
  ignore = ["source.file.alerts.errors", "sink.kafka.k"]
}
`, "alerts/b.json", "{}", "alerts/a.json", "{}", "alerts/a.txt", "{}", "alerts/c.json/x", "")
	p := load(t, path, nil)
	x := p.Tests[0]
	if x.Name != "all of it" || len(x.Mocks) != 1 || x.Mocks[0].Address != "sink.kafka.k" || x.Mocks[0].Error != "too large" {
		t.Errorf("%q %+v", x.Name, x.Mocks)
	}
	if !slices.Equal(x.Ignore, []string{"source.file.alerts.errors", "sink.kafka.k"}) {
		t.Error(x.Ignore)
	}
	if x.Clock.Now().UTC().Format("15:04:05.000") != "13:47:23.199" {
		t.Error(x.Clock.Now())
	}
	var files []string
	for _, f := range x.Inputs[0].Files {
		files = append(files, f[strings.LastIndex(f, "/")+1:])
	}
	if !slices.Equal(files, []string{"a.json", "b.json"}) {
		t.Error(files)
	}
	if x.Inputs[1].Text != "{\"b\": 1}\n" {
		t.Errorf("%q", x.Inputs[1].Text)
	}
	if x.Inputs[1].After != 0 || x.Inputs[2].After != 90*time.Second {
		t.Error(x.Inputs[1].After, x.Inputs[2].After)
	}
	if len(x.Inputs[2].Events) != 2 || string(x.Inputs[2].Events[0].AppendJSON(nil)) != `{"b":1,"a":null}` {
		t.Error(x.Inputs[2].Events)
	}
	e := x.Expects
	if e[0].Address != "sink.kafka.k" || e[0].Output != plan.Errors || *e[0].Count != 2 || e[0].Where.String() == "" || !strings.HasSuffix(e[0].Golden, "/golden/a.jsonl") || e[0].WhereRange.Start.Line != 17 {
		t.Errorf("%+v", e[0])
	}
	if e[1].Output != plan.Rejected || string(e[1].Equals.AppendJSON(nil)) != `{"z":1,"a":[1.5]}` || e[1].Count != nil {
		t.Errorf("%+v", e[1])
	}
	if p := load(t, path, func(o *lang.Options) { o.Mode = lang.Run }); len(p.Tests) != 0 {
		t.Error("a run looks at tests")
	}
}

func TestPlaces(t *testing.T) {
	path := pipeline(t, "p.test.hcl", "")
	for name, want := range map[string]diag.Code{path: diag.NoPipeline, t.TempDir(): diag.NoPipeline, "nowhere.hcl": diag.FileUnreadable} {
		if p, list := tryLoad(name, nil); p != nil || len(list) != 1 || list[0].Code != want {
			t.Errorf("%s: %v", name, list)
		}
	}
}
