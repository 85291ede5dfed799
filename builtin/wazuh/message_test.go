package wazuh

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
)

func TestHeader(t *testing.T) {
	for name, c := range map[string]struct{ agent, location, want string }{
		"agent":                {`{"id":"014","name":"fs-ochre","ip":"10.61.0.14"}`, "dfn", "1:[014] (fs-ochre) 10.61.0.14->dfn:"},
		"colons and bars":      {`{"id":"1","name":"a|b:c","ip":"2001:db8::1"}`, "x:y|z", "1:[1] (a||b|:c) 2001|:db8|:|:1->x|:y||z:"},
		"no address":           {`{"id":"014","name":"n"}`, "dfn", "1:[014] (n) any->dfn:"},
		"empty address":        {`{"id":"014","name":"n","ip":""}`, "dfn", "1:[014] (n) any->dfn:"},
		"null address":         {`{"id":"014","name":"n","ip":null}`, "dfn", "1:[014] (n) any->dfn:"},
		"no name":              {`{"id":"014","ip":"10.0.0.1"}`, "dfn", "1:[014] () 10.0.0.1->dfn:"},
		"id is a number":       {`{"id":14,"name":"n"}`, "dfn", "1:[14] (n) any->dfn:"},
		"the manager":          {`{"id":"000","name":"m"}`, "dfn", "1:dfn:"},
		"no id":                {`{"name":"n","ip":"10.0.0.1"}`, "dfn", "1:dfn:"},
		"null":                 {`null`, "dfn", "1:dfn:"},
		"no object":            {`"014"`, "dfn", "1:dfn:"},
		"name with line break": {`{"id":"014","name":"a\r\nb\u0000c"}`, "dfn", "1:[014] (a  b c) any->dfn:"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := string(appendHeader(nil, object(t, c.agent), []byte(c.location))); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestPayload(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":1,"b":[1,2,{}],"c":{"d":null}}`: `{"a": 1, "b": [1, 2, {}], "c": {"d": null}}`,
		"{\n \"a\" :\t1 ,\r\n\"b\":[ ]}":      `{"a": 1, "b": []}`,
		`{"a,b:c":"x, \"y\":\\","z":""}`:      `{"a,b:c": "x, \"y\":\\", "z": ""}`,
		`["ü,\u00fc",1.50,1e3]`:               `["ü,\u00fc", 1.50, 1e3]`,
		"plain: text,\r\nof two\x00lines":     "plain: text,  of two lines",
		`{"a":1`:                              `{"a":1`,
		`"a:b"`:                               `"a:b"`,
		"":                                    "",
	} {
		if got := string(appendPayload(nil, []byte(in))); got != want {
			t.Errorf("%q\ngot  %q\nwant %q", in, got, want)
		}
	}
}

// A payload stays the same value, and becomes one line.
func FuzzPayload(f *testing.F) {
	f.Add([]byte(`{"a":[1,"x\\\""],"b":{}}`))
	f.Add([]byte("{ \"\n\": 1}"))
	f.Fuzz(func(t *testing.T, in []byte) {
		out := appendPayload(nil, in)
		if bytes.ContainsAny(out, "\r\n\x00") {
			t.Errorf("%q has more than one line", out)
		}
		var a, b any
		if json.Unmarshal(in, &a) == nil && (json.Unmarshal(out, &b) != nil || !reflect.DeepEqual(a, b)) {
			t.Errorf("%q is not %q", out, in)
		}
	})
}
