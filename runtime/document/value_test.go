package document

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestEqualIsTotal(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		a, b Value
		want bool
	}{
		{Value{}, NewNull(), true},
		{NewNull(), mustParse(t, "null"), true},
		{NewNull(), NewBool(false), false},
		{NewNull(), NewText(""), false},
		{NewNull(), NewInt(0), false},
		{NewNull(), mustParse(t, "[]"), false},
		{NewBool(true), mustParse(t, "true"), true},
		{NewBool(true), NewBool(false), false},
		{NewBool(true), NewText("true"), false},
		{NewBool(true), NewInt(1), false},
		{NewInt(4625), mustParse(t, `"4625"`), true},
		{NewInt(4625), mustParse(t, `"\u0034625"`), true},
		{NewInt(4625), NewText("4625.0"), false},
		{NewInt(4625), NewText(" 4625"), false},
		{mustParse(t, "4625.0"), NewText("4625.0"), true},
		{mustParse(t, "4625.0"), NewText("4625"), false},
		{mustParse(t, "4625.0"), NewInt(4625), true},
		{NewText("é"), mustParse(t, `"\u00e9"`), true},
		{NewText("é"), NewText("e\u0301"), false},
		{NewText("\xff"), mustParse(t, `"\ud800"`), true},
		{NewTime(noon), NewTime(noon.In(time.FixedZone("", 3600))), true},
		{NewTime(noon), NewTime(noon.Add(1)), false},
		{NewTime(noon), NewText("2026-03-01T12:00:00Z"), false},
		{NewDuration(time.Second), NewDuration(1000 * time.Millisecond), true},
		{NewDuration(time.Second), NewInt(int64(time.Second)), false},
		{mustParse(t, `[1,"a",null]`), NewArray([]Value{NewFloat(1), NewText("a"), {}}), true},
		{mustParse(t, `[1,2]`), mustParse(t, `[2,1]`), false},
		{mustParse(t, `[[1],2]`), mustParse(t, `[[1.0],2e0]`), true},
		{mustParse(t, `[1]`), mustParse(t, `[1,1]`), false},
		{mustParse(t, `[]`), mustParse(t, `{}`), false},
		{mustParse(t, `{"a":1,"b":2}`), mustParse(t, `{"b":2,"\u0061":9,"a":1.0}`), true},
		{mustParse(t, `{"a":1,"b":2}`), mustParse(t, `{"a":1,"c":2}`), false},
		{mustParse(t, `{"a":null}`), mustParse(t, `{"b":null}`), false},
		{mustParse(t, manyMembers(100, "")), mustParse(t, manyMembers(100, " ")), true},
	}
	for _, test := range tests {
		if got := Equal(test.a, test.b); got != test.want {
			t.Errorf("Equal(%v, %v) = %v", test.a, test.b, got)
		}
		if got := Equal(test.b, test.a); got != test.want {
			t.Errorf("Equal(%v, %v) = %v", test.b, test.a, got)
		}
	}
}

func TestCompareOrdersOnlyWhatHasAnOrder(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		a, b Value
		want int
		ok   bool
	}{
		{NewInt(3), NewText("12"), -1, true},
		{NewInt(3), NewText("3.0"), 0, true},
		{NewInt(3), NewText("1e400000000"), -1, true},
		{NewInt(3), NewText("three"), 0, false},
		{NewInt(3), NewText(" 3"), 0, false},
		{NewText("12"), NewText("3"), -1, true},
		{NewText("\U00010000"), NewText("\uffff"), 1, true},
		{mustParse(t, `"\u0062"`), NewText("a"), 1, true},
		{NewTime(noon), NewTime(noon.Add(time.Hour)), -1, true},
		{NewDuration(1), NewDuration(2), -1, true},
		{NewTime(noon), NewText("2026"), 0, false},
		{NewDuration(1), NewInt(2), 0, false},
		{NewNull(), NewInt(1), 0, false},
		{NewBool(false), NewBool(true), 0, false},
		{mustParse(t, "[1]"), mustParse(t, "[2]"), 0, false},
	}
	for _, test := range tests {
		if got, ok := Compare(test.a, test.b); got != test.want || ok != test.ok {
			t.Errorf("Compare(%v, %v) = %d, %v", test.a, test.b, got, ok)
		}
		if got, ok := Compare(test.b, test.a); got != -test.want || ok != test.ok {
			t.Errorf("Compare(%v, %v) = %d, %v", test.b, test.a, got, ok)
		}
	}
}

func TestWithAndWithout(t *testing.T) {
	path := func(dotted string) []string {
		if dotted == "" {
			return nil
		}
		return strings.Split(dotted, ".")
	}
	tests := []struct{ doc, set, remove, want string }{
		{`{"a": 1, "b": { "c" : 2 } }`, "b.d", "", `{"a":1,"b":{"c":2,"d":"new"}}`},
		{`{"a": 1, "b": { "c" : 2 } }`, "a", "", `{"a":"new","b":{ "c" : 2 }}`},
		{`{"a": 1}`, "b.c", "", `{"a":1,"b":{"c":"new"}}`},
		{`{"a": 1}`, "a.b", "", `{"a":{"b":"new"}}`},
		{`{"a":1,"b":2,"a":3}`, "c", "", `{"b":2,"a":3,"c":"new"}`},
		{`{"\u0061":1}`, "a", "", `{"a":"new"}`},
		{`[1]`, "a", "", `{"a":"new"}`},
		{`[1]`, "", "", `"new"`},
		{`{"a":1,"b":2}`, "-", "a", `{"b":2}`},
		{`{"a":1,"b":{"c":1,"d": 1}}`, "-", "b.c", `{"a":1,"b":{"d":1}}`},
		{`{"a" :1,"a" :2}`, "-", "a", `{}`},
		{`{"a" :1}`, "-", "b", `{"a" :1}`},
		{`{"a" :1}`, "-", "a.b", `{"a" :1}`},
		{`{"a" :null}`, "-", "a", `{}`},
	}
	for _, test := range tests {
		before := mustParse(t, test.doc)
		after := before.Without(path(test.remove))
		if test.set != "-" {
			after = before.With(path(test.set), NewText("new"))
		}
		if got := after.String(); got != test.want {
			t.Errorf("%s with %q, without %q is %s, want %s", test.doc, test.set, test.remove, got, test.want)
		}
		if !Equal(before, mustParse(t, test.doc)) {
			t.Errorf("%s has changed", test.doc)
		}
		// A computed value is shared, not changed, too.
		again := after.With([]string{"x"}, NewNull())
		if got := after.String(); got != test.want {
			t.Errorf("%s has become %s by making %v", test.want, got, again)
		}
	}
}

func TestRepairs(t *testing.T) {
	tests := []struct {
		raw, want string
		repairs   int
	}{
		{"\"a\xffb\xc3\"", "\"a\ufffdb\ufffd\"", 2},
		{"\"\xe2\x82\\n\"", "\"\ufffd\ufffd\\n\"", 2},
		{`"\ud800\n\u00e9"`, "\"\ufffd\\n\\u00e9\"", 1},
		{`"\ufffd"`, `"\ufffd"`, 0},
		{"\"\ufffd\"", "\"\ufffd\"", 0},
		{"{ \"a\" : \"\xff\", \"b\" : { \"c\" : 1 } }", "{\"a\":\"\ufffd\",\"b\":{ \"c\" : 1 }}", 1},
		{"{\"\xff\":1, \"b\":[ ]}", "{\"\ufffd\":1,\"b\":[ ]}", 1},
		{"{\"\xff\":1,\"\\ud800\":2}", "{\"\ufffd\":2}", 2},
		{`{"a":1, "b":2, "a":3}`, `{"b":2,"a":3}`, 0},
		{`[{"a":1,"a":1,"a":1}]`, `[{"a":1}]`, 0},
	}
	for _, test := range tests {
		d, err := Parse([]byte(test.raw))
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Root().String(); got != test.want || d.Repairs() != test.repairs {
			t.Errorf("%q is written %q with %d repairs, want %q with %d", test.raw, got, d.Repairs(), test.want, test.repairs)
		}
	}
}

func TestManyDuplicates(t *testing.T) {
	d, err := Parse([]byte(`{"x":0,` + manyMembers(2000, "")[1:len(manyMembers(2000, ""))-1] + `,"\u0078":1,"m7":"last"}`))
	if err != nil {
		t.Fatal(err)
	}
	root := d.Root()
	if root.Len() != 2001 || root.Get("m7").Text() != "last" || !Equal(root.Get("x"), NewInt(1)) {
		t.Errorf("%d members, m7 %v, x %v", root.Len(), root.Get("m7"), root.Get("x"))
	}
	if again := mustParse(t, root.String()); !Equal(again, root) {
		t.Error("not the same when written")
	}
}

func manyMembers(count int, blank string) string {
	parts := make([]string, count)
	for i := range parts {
		parts[i] = `"m` + NewInt(int64(i)).Number() + `":` + blank + "1"
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func TestComputedJSON(t *testing.T) {
	zone := time.FixedZone("", 2*3600)
	v := NewObject([]Member{
		{"gone", NewInt(1)},
		{"text", NewText("<&>\"\\/\b\f\n\r\t\x00\x1f\x7f\u2028é\xff")},
		{"gone", NewInt(2)},
		{"list", NewArray([]Value{NewNull(), {}, NewBool(true), NewBool(false), NewFloat(1.5)})},
		{"time", NewTime(time.Date(2026, 3, 1, 12, 0, 0, 5e8, zone))},
		{"wait", NewDuration(90 * time.Second)},
		{"b\"\xff", NewObject(nil)},
	})
	const want = `{"text":"<&>\"\\/\b\f\n\r\t\u0000\u001f` + "\x7f\u2028é\ufffd" + `","gone":2,"list":[null,null,true,false,1.5],` +
		`"time":"2026-03-01T12:00:00.5+02:00","wait":"1m30s","b\"` + "\ufffd" + `":{}}`
	if got := v.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !json.Valid(v.AppendJSON(nil)) {
		t.Error("not JSON")
	}
	for text, v := range map[string]Value{
		"2026-03-01T12:00:00.5+02:00": v.Get("time"), "1m30s": v.Get("wait"), "": {}, "é\n": mustParse(t, `"\u00e9\n"`),
		"[1, 2]": mustParse(t, "[1, 2]"), "7.0": mustParse(t, "7.0"), "true": NewBool(true),
	} {
		if got := string(v.AppendText(nil)); got != text {
			t.Errorf("as text %q, want %q", got, text)
		}
	}
}

func TestFromAndAny(t *testing.T) {
	now := time.Now()
	tests := []struct{ from, any any }{
		{nil, nil},
		{true, true},
		{int8(-3), int64(-3)},
		{uint64(1 << 63), json.Number("9223372036854775808")},
		{float32(0.1), 0.1},
		{2.0, int64(2)},
		{json.Number("1e2"), int64(100)},
		{json.Number("0.5"), 0.5},
		{json.Number("0.12345678901234567890"), json.Number("0.12345678901234567890")},
		{"é", "é"},
		{[]byte("b"), "b"},
		{now, now},
		{time.Minute, time.Minute},
		{[]any{1, "a"}, []any{int64(1), "a"}},
		{[]string{"a"}, []any{"a"}},
		{map[string]string{"a": "b"}, map[string]any{"a": "b"}},
		{map[string]any{"b": []any{nil}, "a": 1}, map[string]any{"b": []any{nil}, "a": int64(1)}},
		{[]Value{NewInt(1)}, []any{int64(1)}},
	}
	for _, test := range tests {
		v, err := From(test.from)
		if err != nil || !reflect.DeepEqual(v.Any(), test.any) {
			t.Errorf("From(%#v).Any() = %#v, %v; want %#v", test.from, v.Any(), err, test.any)
		}
	}
	if v, _ := From(map[string]any{"b": 1, "a": 2, "c": 3}); v.String() != `{"a":2,"b":1,"c":3}` {
		t.Errorf("a map becomes %v", v)
	}
	for _, bad := range []any{struct{}{}, json.Number("x"), []any{make(chan int)}, map[string]any{"a": func() {}}} {
		if _, err := From(bad); err == nil {
			t.Errorf("From(%#v) is no error", bad)
		}
	}
}

func TestDepthIsBounded(t *testing.T) {
	deep := func(levels int) string {
		return strings.Repeat(`{"a":[`, levels/2) + strings.Repeat("]}", levels/2)
	}
	root := mustParse(t, deep(maxDepth))
	if changed := root.With([]string{"b"}, NewNull()).Without([]string{"b"}); !Equal(changed, root) || changed.Size() == 0 {
		t.Error("a deep document is not equal to itself")
	}
	if _, err := Parse([]byte(deep(maxDepth + 2))); err == nil || !strings.Contains(err.Error(), "nested deeper") {
		t.Errorf("too deep: %v", err)
	}
}

func TestACopyOutlivesItsDocument(t *testing.T) {
	raw := []byte(" {\"a\":\"\xff\"} ")
	var d Document
	if err := d.Reset(raw); err != nil {
		t.Fatal(err)
	}
	var slab Slab
	var before, clone, after Document
	d.CopyTo(&before, append([]byte(nil), raw...), &slab)
	d.CopyTo(&clone, append([]byte(nil), raw...), &slab)
	large := mustParse(t, "["+strings.Repeat("1,", slabNodes)+"1]")
	(*Document)(large.at).CopyTo(&after, []byte(large.String()), &slab)
	if before.Root().String() != clone.Root().String() || !Equal(after.Root(), large) {
		t.Errorf("%s is not %s, or a large one not itself", before.Root(), clone.Root())
	}
	copy(raw, " [1,2,3] ")
	if err := d.Reset(raw[:9]); err != nil {
		t.Fatal(err)
	}
	if got := clone.Root().String(); got != "{\"a\":\"\ufffd\"}" || clone.Repairs() != 1 {
		t.Errorf("%s with %d repairs", got, clone.Repairs())
	}
}

func TestResetForgets(t *testing.T) {
	var d Document
	for _, raw := range []string{"{\"a\":\"\xff\"}", ` [ 1 ] `, `{"a":1}`} {
		if err := d.Reset([]byte(raw)); err != nil {
			t.Fatal(err)
		}
	}
	if got := d.Root().String(); got != `{"a":1}` || d.Repairs() != 0 {
		t.Errorf("%s with %d repairs", got, d.Repairs())
	}
	if err := d.Reset([]byte(`{"a":`)); err == nil || d.Root().Kind() != Missing || d.Raw() != nil || d.Repairs() != 0 {
		t.Errorf("after an error (%v) the root is %v", err, d.Root())
	}
}

func TestOneHugeDocumentDoesNotKeepItsMemory(t *testing.T) {
	var d Document
	if err := d.Reset([]byte("[" + strings.Repeat("0,", 2*keepNodes) + "0]")); err != nil || d.Root().Len() != 2*keepNodes+1 {
		t.Fatal(err)
	}
	if err := d.Reset([]byte("[0]")); err != nil || cap(d.nodes) > keepNodes {
		t.Errorf("room for %d nodes is left (%v)", cap(d.nodes), err)
	}
}

func TestHotPathsAllocateNothing(t *testing.T) {
	lines, _ := alertLines(t)
	var d Document
	for _, line := range lines {
		if err := d.Reset(line); err != nil { // grows it once
			t.Fatal(err)
		}
	}
	id, level := NewText("4625"), NewInt(3)
	var buffer [64 << 10]byte
	allocs := testing.AllocsPerRun(10, func() {
		for _, line := range lines {
			_ = d.Reset(line)
			root := d.Root()
			Equal(root.At("data", "win", "system", "eventID"), id)
			Equal(root.At("data", "win", "system", "eventID"), NewInt(4625))
			Compare(root.At("rule", "level"), level)
			for item := range root.At("rule", "groups").Elements() {
				Equal(item, id)
			}
			for name, member := range root.Members() {
				_, _ = name, member.Len()
			}
			root.At("data", "win", "system", "message").AppendText(buffer[:0])
			root.AppendJSON(buffer[:0])
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
