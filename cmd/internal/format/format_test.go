package format

import (
	"bytes"
	"io/fs"
	"strings"
	"testing"

	"github.com/wazuh-etl/etl/pipelines"
)

func TestSource(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"empty", " \n\n", ""},
		{"alignment", "a=1\nlonger =   2\n", "a      = 1\nlonger = 2\n"},
		{"indentation", "source \"file\" \"a\" {\n      path = \"x\"\n}\n", "source \"file\" \"a\" {\n  path = \"x\"\n}\n"},
		{"labels", "filter a {\n  from = source.file.a\n}\ntransform \"lua\" b {\n}\n", "filter \"a\" {\n  from = source.file.a\n}\ntransform \"lua\" \"b\" {\n}\n"},
		{"inner labels", "test \"x\" {\n  input source {\n  }\n}\n", "test \"x\" {\n  input \"source\" {\n  }\n}\n"},
		{"line ends", "\ufeffa = 1\r\nb = 2", "a = 1\nb = 2\n"},
		{"many line ends", "a = 1\n\n\n", "a = 1\n"},
		{"heredoc at the end", "code = <<-LUA\n    x  =  1\n  LUA", "code = <<-LUA\n    x  =  1\n  LUA\n"},
		{"comments", "# one\na = 1 // two\n", "# one\na = 1 // two\n"},
	} {
		got, err := Source("x.hcl", []byte(c.in))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %q %v, want %q", c.name, got, err, c.want)
		}
	}
	if _, err := Source("x.hcl", []byte("a = {\n")); err == nil {
		t.Error("half a file: no error")
	}
}

func TestWhatWeShipIsFormatted(t *testing.T) {
	files, err := fs.Glob(pipelines.FS, "*.hcl")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		src, err := fs.ReadFile(pipelines.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Source(name, src); err != nil || !bytes.Equal(got, src) {
			t.Errorf("pipelines/%s is not formatted: run `etl fmt pipelines` (%v)", name, err)
		}
	}
}

func FuzzSource(f *testing.F) {
	f.Add("filter a {\n from=x\r\n}")
	f.Add("a = <<-X\n  ${b}\n  X")
	f.Add("\ufeff# c\nb \"l\" m { c = [1,\n2] }")
	f.Fuzz(func(t *testing.T, in string) {
		if strings.Contains(strings.ReplaceAll(in, "\r\n", ""), "\r") {
			return // HCL takes a lone carriage return for text here and for a line end there
		}
		once, err := Source("x.hcl", []byte(in))
		if err != nil {
			return
		}
		twice, err := Source("x.hcl", once)
		if err != nil {
			t.Fatalf("what was formatted does not parse: %v\n%q", err, once)
		}
		if !bytes.Equal(once, twice) {
			t.Fatalf("formatting is not at rest:\n%q\n%q", once, twice)
		}
	})
}
