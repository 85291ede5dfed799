package lang_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/lang"
)

// What a variable's type does not know is an error, wherever the value comes from and however deep it is.
func TestStrangersInAVariable(t *testing.T) {
	const (
		managers = "map(object({ database = optional(string), api = optional(object({ url = string }), { url = \"u\" }) }))"
		rest     = "source \"stdin\" \"x\" {}\nsink \"stdout\" \"out\" { from = source.stdin.x }\n"
	)
	for name, c := range map[string]struct {
		typ, file, fallback, flag, env string
		want                           string // at the place: message; suggestion
	}{
		"in a map":           {typ: managers, file: "x = {\n  m1 = { database = \"a\" }\n  west = { databse = \"b\" }\n}\n", want: "v.vars:3:12: var.x.west has no attribute `databse`; did you mean `database`?"},
		"deep":               {typ: managers, file: "x = { m-1 = { api = { url = \"u\", \"user\" = 1 } } }\n", want: "v.vars:1:34: var.x.m-1.api has no attribute `user`; possible: url"},
		"no identifier":      {typ: managers, file: "x = { \"m 1\" = ({ data = \"a\" }) }\n", want: "v.vars:1:18: var.x[\"m 1\"] has no attribute `data`; possible: api, database"},
		"in a list":          {typ: "list(object({ a = string }))", file: "x = [{ a = 1 }, { a = 1, b = 2 }]\n", want: "v.vars:1:26: var.x[1] has no attribute `b`; did you mean `a`?"},
		"in a tuple":         {typ: "tuple([string, object({ a = string })])", file: "x = [1, { a = 1, b = 2 }]\n", want: "v.vars:1:18: var.x[1] has no attribute `b`; did you mean `a`?"},
		"in a set":           {typ: "set(object({ a = string }))", file: "x = [{ a = 1, b = 2 }]\n", want: "v.vars:1:15: var.x[0] has no attribute `b`; did you mean `a`?"},
		"made by a call":     {typ: "object({ a = string })", file: "x = merge({ a = 1 }, { b = 2 })\n", want: "v.vars:1:5: var.x has no attribute `b`; did you mean `a`?"},
		"in the default":     {typ: managers, fallback: "{ w = { databse = \"b\" } }", want: "p.hcl:3:21: var.x.w has no attribute `databse`; did you mean `database`?"},
		"on the line":        {typ: managers, flag: "{ w = { databse = \"b\" } }", want: "--var x: var.x.w has no attribute `databse`; did you mean `database`?"},
		"in the environment": {typ: managers, env: "{ w = { databse = \"b\" } }", want: "$ETL_VAR_x: var.x.w has no attribute `databse`; did you mean `database`?"},
		"any":                {typ: "any", file: "x = { a = { b = 1 } }\n"},
		"any in an object":   {typ: "object({ a = any })", file: "x = { a = { b = 1 } }\n"},
		"a map of texts":     {typ: "map(string)", file: "x = { a = 1, b = null }\n"},
		"null in between":    {typ: managers, file: "x = { a = null, b = { api = null } }\n"},
		"all is known":       {typ: managers, file: "x = { a = { database = \"x\", api = { url = \"u\" } } }\n"},
	} {
		t.Run(name, func(t *testing.T) {
			fallback := ""
			if c.fallback != "" {
				fallback = "\n  default = " + c.fallback
			}
			hcl := "variable \"x\" {\n  type = " + c.typ + fallback + "\n}\n" + rest
			path := pipeline(t, "p.hcl", hcl, "v.vars", c.file)
			_, list := tryLoad(path, func(o *lang.Options) {
				switch {
				case c.file != "":
					o.VarFiles = []string{filepath.Join(filepath.Dir(path), "v.vars")}
				case c.flag != "":
					o.Vars = map[string]string{"x": c.flag}
				case c.env != "":
					o.Env = env(map[string]string{"ETL_VAR_x": c.env})
				}
			})
			var got []string
			for _, d := range list {
				if d.Code != diag.UnknownAttribute {
					t.Errorf("code %s", d.Code)
				}
				place := strings.TrimSuffix(d.Range.String(), ":0:0") // of a text there is but a name
				place = place[strings.LastIndex(place, "/")+1:]
				got = append(got, place+": "+d.Message+"; "+d.Suggestion)
			}
			if strings.Join(got, "\n") != c.want {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), c.want)
			}
		})
	}
}
