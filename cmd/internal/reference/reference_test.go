package reference

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
)

func example() *component.Spec {
	return &component.Spec{
		Role: component.RoleSink, Kind: "pigeon",
		Summary: "Sends events by pigeon", Guarantee: "Delivered means that the pigeon came back.", Doc: "More.",
		Attrs: []component.Attr{
			{Name: "loft", Type: component.TypeString, Required: true, Doc: "Where it lives."},
			{Name: "seed", Type: component.TypeEnum, Enum: []string{"corn", "rye"}, Default: "corn", Doc: "Food | drink."},
			{Name: "leg", Type: component.TypeTemplate, Address: true},
		},
		Blocks:  []component.BlockSpec{{Name: "wind", Doc: "Weather.", Attrs: []component.Attr{{Name: "wait", Type: component.TypeDuration, Default: 90 * time.Second}}}},
		Outputs: []string{"ring: its number"},
		Example: "sink \"pigeon\" \"p\" {\n  from = errors\n}",
	}
}

func TestPageSaysTheGuaranteeFirst(t *testing.T) {
	var b strings.Builder
	if err := Page(&b, example()); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	if !strings.HasPrefix(page, "# sink \"pigeon\"\n\nDelivered means that the pigeon came back.\n\nSends events by pigeon.\n\n") {
		t.Errorf("the page begins with\n%.200s", page)
	}
	for _, want := range []string{
		"| `loft` | string | *required* | Where it lives. |",
		"| `seed` | string | `\"corn\"` | Food \\| drink. One of `\"corn\"`, `\"rye\"`. |",
		"| `leg` | template, *per event* |  | nil in a hole is the event's error. |",
		"## Block `wind`\n\nWeather.",
		"| `wait` | duration | `\"90s\"` |",
		"- `ring`: its number",
		"```hcl\nsink \"pigeon\" \"p\" {",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s\n%s", want, page)
		}
	}
}

func TestDefault(t *testing.T) {
	for _, c := range []struct {
		a    component.Attr
		want string
	}{
		{component.Attr{}, ""},
		{component.Attr{Type: component.TypeString, Default: `a"b`}, `"a\"b"`},
		{component.Attr{Type: component.TypeBool, Default: false}, "false"},
		{component.Attr{Type: component.TypeCount, Default: 3}, "3"},
		{component.Attr{Type: component.TypeSize, Default: int64(16 << 20)}, `"16MiB"`},
		{component.Attr{Type: component.TypeSize, Default: int64(1_000_000)}, `"1MB"`},
		{component.Attr{Type: component.TypeSize, Default: int64(65_535)}, `"65535B"`},
		{component.Attr{Type: component.TypeDuration, Default: 250 * time.Millisecond}, `"250ms"`},
		{component.Attr{Type: component.TypeDuration, Default: 7 * 24 * time.Hour}, `"7d"`},
		{component.Attr{Type: component.TypeRate, Default: 5.0}, `"5/s"`},
		{component.Attr{Type: component.TypeRate, Default: 0.5}, `"30/m"`},
		{component.Attr{Type: component.TypeNumber, Default: 0.5}, "0.5"},
		{component.Attr{Type: component.TypeStrings, Default: []string{"a", "b"}}, `["a", "b"]`},
	} {
		if got := Default(c.a); got != c.want {
			t.Errorf("%v: %s, want %s", c.a.Default, got, c.want)
		}
	}
}

func TestWriteAndStale(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "reference")
	specs := []*component.Spec{example()}
	if err := Write(dir, specs); err != nil {
		t.Fatal(err)
	}
	check := func(want ...string) {
		t.Helper()
		got, err := Stale(dir, specs)
		if err != nil || strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("stale: %v %v, want %v", got, err, want)
		}
	}
	check()
	own, other := filepath.Join(dir, "expressions.md"), filepath.Join(dir, "sink-raven.md")
	for _, name := range []string{own, other, filepath.Join(dir, "sink-pigeon.md")} {
		if err := os.WriteFile(name, []byte("old"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	check("sink-pigeon.md", "sink-raven.md")
	if err := Write(dir, specs); err != nil {
		t.Fatal(err)
	}
	check()
	if _, err := os.Stat(own); err != nil {
		t.Errorf("a page that somebody wrote is gone: %v", err)
	}
}
