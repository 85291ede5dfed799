package lang_test

import (
	"bytes"
	"context"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/lang"
)

var update = flag.Bool("update", false, "write the goldens anew")

// options are those of a fixture: its leading lines `#! …` are its command line.
func options(t *testing.T, file string) lang.Options {
	t.Helper()
	o := lang.Options{
		Mode:     lang.Validate,
		Specs:    specs,
		StateDir: "/state",
		Vars:     map[string]string{},
		Env:      func(string) (string, bool) { return "", false },
		Embedded: map[string]fs.FS{
			"lua":     fstest.MapFS{"shared.lua": {Data: []byte("function process(e) return e end")}},
			"schemas": os.DirFS("../../schemas"),
		},
	}
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(src)) {
		words, is := strings.CutPrefix(strings.TrimSpace(line), "#! ")
		if !is {
			break
		}
		flag, value, _ := strings.Cut(words, " ")
		switch flag {
		case "--var":
			name, v, _ := strings.Cut(value, "=")
			o.Vars[name] = v
		case "--var-file":
			o.VarFiles = append(o.VarFiles, value)
		case "test":
			o.Mode, o.Test = lang.Test, value
		default:
			t.Fatalf("%s: what is %s?", file, line)
		}
	}
	return o
}

func rendered(list diag.List) string {
	wd, _ := os.Getwd()
	var b bytes.Buffer
	p := diag.Printer{Source: os.ReadFile}
	if err := p.Text(&b, list); err != nil {
		panic(err)
	}
	return strings.ReplaceAll(b.String(), wd, "/work")
}

// fixtures loads each folder of dir and holds what is found against want.txt.
func fixtures(t *testing.T, dir string) map[string]diag.List {
	t.Helper()
	found := map[string]diag.List{}
	files, err := filepath.Glob(filepath.Join(dir, "*", "pipeline.hcl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures in %s: %v", dir, err)
	}
	for _, file := range files {
		name := filepath.Base(filepath.Dir(file))
		t.Run(name, func(t *testing.T) {
			p, list := lang.Load(file, options(t, file))
			if (p == nil) != list.Failed() {
				t.Errorf("plan %v although failed is %v", p, list.Failed())
			}
			found[name] = list
			golden := filepath.Join(filepath.Dir(file), "want.txt")
			got := rendered(list)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Error(d)
			}
		})
	}
	return found
}

func TestFindings(t *testing.T) {
	invalid := fixtures(t, "testdata/invalid")
	warning := fixtures(t, "testdata/warning")
	fixtures(t, "testdata/variant") // of causes that are in invalid
	for name, list := range invalid {
		if !list.Failed() {
			t.Errorf("%s is accepted", name)
		}
	}
	produced := map[diag.Code]bool{}
	first := map[string]string{} // code and text -> fixture
	for _, set := range []map[string]diag.List{invalid, warning} {
		for name, list := range set {
			if len(list) == 0 {
				t.Errorf("nothing is found in %s", name)
				continue
			}
			for _, d := range list {
				produced[d.Code] = true
			}
			key := string(list[0].Code) + " " + list[0].Message
			if other, is := first[key]; is {
				t.Errorf("%s and %s are told apart by nothing: %s", name, other, key)
			}
			first[key] = name
		}
	}
	for name, list := range warning {
		if list.Failed() {
			t.Errorf("%s is refused", name)
		}
	}
	for code := range diag.Meanings {
		if !produced[code] && !elsewhere[code] {
			t.Errorf("no fixture produces %s", code)
		}
	}
}

// elsewhere are the codes that components give, and those of places that are
// no pipeline file.
var elsewhere = map[diag.Code]bool{
	diag.InvalidLogin: true, diag.CertUnreadable: true, diag.CertExpired: true, diag.CertNotYetValid: true,
	diag.LuaSyntax: true, diag.LuaNoProcess: true, diag.LuaModule: true, diag.LuaLoad: true,
	diag.KeyUnreadable: true, diag.KeyMismatch: true, diag.CAMismatch: true, diag.CAUnreadable: true, diag.CertExpiresSoon: true,
	diag.NoPipeline: true,
}

// The doubles are components without an inside.

type source struct{}

func (source) Run(context.Context, *component.Host, []component.Position, component.Output) error {
	return nil
}
func (source) Resume(*component.Host, []component.Position) ([]bool, error) { return nil, nil }

type onceSource struct{}

func (onceSource) Run(context.Context, *component.Host, []component.Position, component.Output) error {
	return nil
}

type transform struct{ script string }

func (transform) Worker(*component.Host) (component.Worker, error) { return nil, nil }

type sink struct{}

func (sink) Encode(*component.Message) error                     { return nil }
func (sink) Open(context.Context, *component.Host) error         { return nil }
func (sink) Deliver(context.Context, []*component.Message) error { return nil }
func (sink) Close() error                                        { return nil }

// ledger is a sink that can deliver exactly once.
type ledger struct {
	sink
	once bool
}

func (l ledger) ExactlyOnce() bool { return l.once }

type stage struct{ component.StageTransform }

func newSink(*component.Config) (component.Sink, error)           { return sink{}, nil }
func newTransform(*component.Config) (component.Transform, error) { return transform{}, nil }
func newOnceSource(c *component.Config) (component.Source, error) { return onceSource{}, nil }

type fileSource struct {
	source
	config *component.Config
}

func (f fileSource) Check(*component.Host) []error {
	if strings.HasSuffix(f.config.String("path"), "odd.json") {
		return []error{diag.Diagnostic{Code: diag.ComponentWarning, Severity: diag.Warning, Range: f.config.Ranges["path"], Message: "an odd file"}}
	}
	return nil
}

func hostAndPort(v any) error {
	for _, b := range v.([]string) {
		if !strings.Contains(b, ":") {
			return diag.Diagnostic{Message: "`" + b + "` has no port", Suggestion: "write " + b + ":9092"}
		}
	}
	return nil
}

var specs = []*component.Spec{
	{
		Role: component.RoleSource, Kind: "file", Codec: true,
		Attrs: []component.Attr{
			{Name: "path", Type: component.TypeReadPath, Live: true, Required: true},
			{Name: "profile", Type: component.TypeEnum, Enum: []string{"wazuh4"}},
			{Name: "follow", Type: component.TypeBool, Default: true},
			{Name: "rate", Type: component.TypeRate},
		},
		Shape: func(c *component.Config) string {
			if c.String("profile") == "wazuh4" {
				return "schemas/alert.json"
			}
			return ""
		},
		NewSource: func(c *component.Config) (component.Source, error) { return fileSource{config: c}, nil },
	},
	{Role: component.RoleSource, Kind: "stdin", Codec: true, NewSource: newOnceSource},
	{Role: component.RoleSource, Kind: "generate", NewSource: newOnceSource},
	{
		Role: component.RoleTransform, Kind: "lua",
		Attrs: []component.Attr{
			{Name: "script", Type: component.TypeReadPath},
			{Name: "code", Type: component.TypeCode},
			{Name: "config", Type: component.TypeAny},
		},
		NewTransform: func(c *component.Config) (component.Transform, error) {
			if !c.Has("script") {
				if c.Code("code") == nil {
					return nil, c.Error("", diag.MissingAttribute, "neither script nor code", "write one of them")
				}
				return transform{c.Code("code").Text}, nil
			}
			content, _, err := c.ReadFile(c.String("script"))
			return transform{string(content)}, err
		},
	},
	{
		Role: component.RoleTransform, Kind: "map",
		Attrs: []component.Attr{
			{Name: "set", Type: component.TypeTemplates},
			{Name: "remove", Type: component.TypeStrings},
		},
		NewTransform: newTransform,
	},
	{
		Role: component.RoleSink, Kind: "kafka",
		Attrs: []component.Attr{
			{Name: "brokers", Type: component.TypeStrings, Required: true, Check: hostAndPort},
			{Name: "topic", Type: component.TypeTemplate, Place: component.PlaceTopic, Address: true, Required: true},
			{Name: "key", Type: component.TypeTemplate},
			{Name: "headers", Type: component.TypeTemplates},
			{Name: "linger", Type: component.TypeDuration},
			{Name: "share", Type: component.TypeNumber},
		},
		Blocks: []component.BlockSpec{{Name: "tls", Attrs: []component.Attr{
			{Name: "ca_file", Type: component.TypeReadPath},
			{Name: "password", Type: component.TypeString, Secret: true},
		}}},
		Connection: []string{"brokers", "linger", "tls"},
		NewSink:    newSink,
	},
	{
		Role: component.RoleSink, Kind: "nats",
		Attrs:      []component.Attr{{Name: "url", Type: component.TypeString, Required: true}, {Name: "token", Type: component.TypeString, Secret: true}},
		Connection: []string{"url", "token"},
		NewSink:    newSink,
	},
	{Role: component.RoleSink, Kind: "stdout", NewSink: newSink},
	{
		Role: component.RoleSink, Kind: "ledger",
		Attrs: []component.Attr{{Name: "delivery", Type: component.TypeEnum, Enum: []string{"at_least_once", "exactly_once"}}},
		NewSink: func(c *component.Config) (component.Sink, error) {
			return ledger{once: c.String("delivery") == "exactly_once"}, nil
		},
	},
	{
		Role: component.RoleTransform, Kind: "count",
		NewStage: func(*component.Config) (component.StageTransform, error) { return stage{}, nil },
	},
	{
		Role: component.RoleSink, Kind: "file",
		Attrs:   []component.Attr{{Name: "path", Type: component.TypeWritePath, Required: true}},
		NewSink: newSink,
	},
}
