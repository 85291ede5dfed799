package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// asJSON is what encoding/json makes of raw, with numbers as their text.
func asJSON(t testing.TB, raw []byte) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var x any
	if err := decoder.Decode(&x); err != nil {
		t.Fatalf("encoding/json: %v in %q", err, raw)
	}
	return x
}

// plain is v in the same form, read by Kind and its accessors only.
func plain(v Value) any {
	switch v.Kind() {
	case Bool:
		return v.IsTrue()
	case Number:
		return json.Number(v.Number())
	case Text:
		return v.Text()
	case Array:
		list := []any{}
		for item := range v.Elements() {
			list = append(list, plain(item))
		}
		return list
	case Object:
		m := map[string]any{}
		for name, member := range v.Members() {
			m[name] = plain(member)
		}
		return m
	}
	return nil
}

func mustParse(t testing.TB, raw string) Value {
	t.Helper()
	d, err := Parse([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return d.Root()
}

// checkAgainstJSON holds one document against encoding/json.
func checkAgainstJSON(t *testing.T, raw []byte) {
	t.Helper()
	d, err := Parse(raw)
	if ok := json.Valid(raw); ok != (err == nil) {
		t.Fatalf("valid is %v for encoding/json, here: %v\n%q", ok, err, raw)
	}
	if err != nil {
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > len(raw) || syntax.Reason == "" {
			t.Fatalf("%#v is no good error for %q", err, raw)
		}
		return
	}
	want, root := asJSON(t, raw), d.Root()
	if got := plain(root); !reflect.DeepEqual(got, want) {
		t.Fatalf("reads as %#v, want %#v\n%q", got, want, raw)
	}
	written := root.AppendJSON(nil)
	if got := asJSON(t, written); !reflect.DeepEqual(got, want) {
		t.Fatalf("writes %q for %q", written, raw)
	}
	checkCompact(t, root)
	again, err := Parse(written)
	if err != nil || !Equal(again.Root(), root) || !Equal(root, again.Root()) {
		t.Fatalf("%q is not equal to %q (%v)", written, raw, err)
	}
	if again.Repairs() != 0 {
		t.Fatalf("%q, written for %q, needs repair again", written, raw)
	}
	clean := bytes.TrimSpace(raw)
	if d.Repairs() == 0 && !hasHidden(d) && !bytes.Equal(written, clean) {
		t.Fatalf("%q is written for the untouched %q", written, clean)
	}
	if !bytes.Equal(d.Raw(), clean) {
		t.Fatalf("Raw is %q, want %q", d.Raw(), clean)
	}
	// What is rebuilt from plain Go is the same value.
	rebuilt, err := From(want)
	if err != nil || !Equal(rebuilt, root) || !Equal(root, rebuilt) {
		t.Fatalf("%v is not equal to %q (%v)", rebuilt, raw, err)
	}
	if got := asJSON(t, rebuilt.AppendJSON(nil)); !reflect.DeepEqual(got, want) {
		t.Fatalf("rebuilt as %v, want %q", rebuilt, raw)
	}
	checkLookups(t, root)
}

// checkCompact holds AppendCompact against encoding/json's Compact.
func checkCompact(t *testing.T, root Value) {
	t.Helper()
	var squeezed bytes.Buffer
	if err := json.Compact(&squeezed, root.AppendJSON(nil)); err != nil {
		t.Fatal(err)
	}
	if got := root.AppendCompact(nil); !bytes.Equal(got, squeezed.Bytes()) {
		t.Fatalf("compact is %q, want %q", got, squeezed.Bytes())
	}
}

// checkLookups holds Get, Index and Len against the iterators.
func checkLookups(t *testing.T, v Value) {
	t.Helper()
	count := 0
	for name, member := range v.Members() {
		if got := v.Get(name); !Equal(got, member) || got.Kind() != member.Kind() {
			t.Fatalf("Get(%q) of %v is %v", name, v, got)
		}
		checkLookups(t, member)
		count++
	}
	for item := range v.Elements() {
		if got := v.Index(count); !Equal(got, item) {
			t.Fatalf("Index(%d) of %v is %v", count, v, got)
		}
		checkLookups(t, item)
		count++
	}
	if v.Len() != count {
		t.Fatalf("Len of %v is %d, want %d", v, v.Len(), count)
	}
}

func hasHidden(d *Document) bool {
	for _, n := range d.nodes {
		if n.flags&hidden != 0 {
			return true
		}
	}
	return false
}

var seeds = []string{
	`{}`, `[]`, `""`, `0`, `null`, ` true `, "\t[false ,\n1 , {}]\r\n", `{"a":{"b":[1,2,{"c":"d"}]},"e":null}`,
	`{"a":1,"a":2}`, `{"a":1,"b":2,"\u0061":{"x":1,"x":2}}`, `{"\u0061":1,"a":2,"b":[{"c":1,"c":1}]}`, `{"":1,"":2}`,
	`"\u00e9\n\"\\\/\b\f\r\t"`, `"\ud83d\ude00"`, `"\ud800"`, `"\udc00x"`, `"\ud800\ud800\udc00"`, `"\ud800\u0041"`, `"\ufffd"`, `"\uFFFD"`,
	"\"\xff\"", "\"a\xe2\x82\"", "\"\xed\xa0\x80\"", "{\"\xff\":1,\"\xfe\":2}", "\"\u2028é\U0001f600\"", "{\"\\ud800\":1,\"\ufffd\":2}",
	`-0`, `1.5e+10`, `-0.0E-0`, `01`, `1.`, `.5`, `+1`, `1e`, `-`, `--1`, `1e400000000`, `12345678901234567890`,
	`{"a"}`, `{"a":}`, `{"a":1,}`, `[1,]`, `[,1]`, `{,}`, `[1 2]`, `{"a" 1}`, `{a:1}`, `[`, `{`, `"`, `"\`, `"\u12`, `"\x"`, `"` + "\n" + `"`,
	``, ` `, `tru`, `nul`, `truex`, `1x`, `{}{}`, `[]]`, `]`, `}`, `,`, `:`, `[}`, `{]`, `{"a":1]`, `[1}`, "\ufeff{}", "{\x00}", `"\ud83d\u`,
	`{"12345678":"12345678\"x","1234567":"1234567\\"}`, strings.Repeat("[", 100) + strings.Repeat("]", 100),
}

func TestDocumentsReadAsEncodingJSONReadsThem(t *testing.T) {
	for _, seed := range seeds {
		checkAgainstJSON(t, []byte(seed))
	}
}

func TestAlertsReadAsEncodingJSONReadsThem(t *testing.T) {
	files, err := filepath.Glob("../../testdata/alerts/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no alerts", err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		checkAgainstJSON(t, raw)
	}
}

func FuzzDocument(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) { checkAgainstJSON(t, raw) })
}
