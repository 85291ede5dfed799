package lua

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/leodido/go-syslog/v4/rfc5424"
)

// evaluate gives an expression as JSON.
func evaluate(t *testing.T, document, expression string) string {
	t.Helper()
	out, _, err := run(scriptOf(t, `local xml, syslog, hash, base64, json, time =
  require "xml", require "syslog", require "hash", require "base64", require "json", require "time"
function process(event)
  local v = `+expression+`
  return { v = v == nil and "nil" or v }
end`), document)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(strings.TrimPrefix(out[0], `{"v":`), `}`)
}

func TestModules(t *testing.T) {
	const event = `{"s":"a<b","o":{"k": 1.50},"l":[1,"x"],"n":1.0,"z":null,"b":false,"big":123456789012345678901,"bad":"\u0001x\ufffe\ud800"}`
	for _, c := range []struct{ expression, want string }{
		{`xml.element("a")`, `"<a />"`},
		{`xml.element("a", nil, "")`, `"<a />"`},
		{`xml.element("a", nil, nil, etl.null)`, `"<a />"`},
		{`xml.element("a", { "x", "1", "y", nil, "z", "3" }, event.s)`, `"<a x=\"1\" z=\"3\">a&lt;b</a>"`},
		{`xml.element("a", nil, xml.empty("b", { "q", '<">\n\t\r' }), "<&>")`, `"<a><b q=\"&lt;&quot;&gt;&#10;&#09;&#13;\" />&lt;&amp;&gt;</a>"`},
		{`xml.element("a", nil, 5, true, event.b, event.o, event.l, event.big)`, `"<a>5truefalse{\"k\": 1.50}[1,\"x\"]123456789012345678901</a>"`},
		{`select(2, pcall(xml.element, "a", nil, { { 1 } }))`, `"pipeline.hcl:13: a list in a list is no content of an element"`},
		{`xml.element("a", nil, { "x", xml.empty("b") })`, `"<a>x<b /></a>"`},
		{`xml.element("1 a:b?", { "c d", "e" })`, `"<__a_b_ c_d=\"e\" />"`},
		{`xml.element("a", nil, event.bad)`, "\"<a>\ufffdx\ufffd\ufffd</a>\""},
		{`xml.empty("a", { "q", event.bad })`, "\"<a q=\\\"\ufffdx\ufffd\ufffd\\\" />\""},
		{`xml.escape("<a>") .. "<b>"`, `"&lt;a&gt;<b>"`},
		{`#xml.escape("<a>")`, `9`},
		{`xml.name("9 x:é-1")`, `"__x_é-1"`},
		{`xml.name("")`, `"_"`},
		{`xml.template("<S>{s}</S> <N>{n}</N>\n<Z>{z}</Z><None>{none}</None><O>{o}</O><B>{b}</B>")(event)`, `"<S>a&lt;b</S><N>1.0</N><Z /><None /><O>{\"k\": 1.50}</O><B>false</B>"`},
		{`xml.template("<a s='{s}' n='{n}' z='{z}' none='{none}' o='{o}'><b/></a>")(event)`, `"<a s=\"a&lt;b\" n=\"1.0\" z=\"\" o=\"{&quot;k&quot;: 1.50}\"><b /></a>"`},
		{`xml.template("<a q='x {s}{none}&quot;{{'>&lt;{n}{{}} {...}</a>")(event, "<", xml.empty("b"))`, `"<a q=\"x a&lt;b&quot;{\">&lt;1.0{} &lt;<b /></a>"`},
		{`xml.template("<x:a><b>{...}</b><c>{none}<d/></c></x:a>")(event)`, `"<x:a><b /><c><d /></c></x:a>"`},
		{`xml.template("<S a='{s}'>{s}{z}{none}</S>")({ s = "<", z = etl.null })`, `"<S a=\"&lt;\">&lt;</S>"`},
		{`select(2, pcall(xml.template("<S>{s}</S>"), nil))`, `"pipeline.hcl:13: bad argument #1 to (anonymous) (table expected, got nil)"`},
		{`select(2, pcall(xml.template, "<S>{s</S>"))`, `"pipeline.hcl:13: xml.template: { begins the name of a member, as in {name}: a brace that is meant is written {{"`},
		{`select(2, pcall(xml.template, "<S>s}</S>"))`, `"pipeline.hcl:13: xml.template: a } without { before it: a brace that is meant is written }}"`},
		{`select(2, pcall(xml.template, "<S a='{...}'/>"))`, `"pipeline.hcl:13: xml.template: {...} is content, and can't be in an attribute"`},
		{`select(2, pcall(xml.template, "<S>"))`, `"pipeline.hcl:13: xml.template: <S> has no end"`},
		{`select(2, pcall(xml.template, "<S><T></S>"))`, `"pipeline.hcl:13: xml.template: </S> ends what is not open"`},
		{`select(2, pcall(xml.template, "<S a=></S>"))`, `"pipeline.hcl:13: xml.template: XML syntax error on line 1: unquoted or missing attribute value in element"`},
		{`select(2, pcall(xml.template, "<?xml version='1.0'?><S/>"))`, `"pipeline.hcl:13: xml.template: a template is made of elements and text: <? and <! can't be in it"`},
		{`select(2, pcall(xml.template, ("<S>"):rep(40)))`, `"pipeline.hcl:13: xml.template: <S> is deeper than can be"`},
		{`xml.named(event.o, "Data", "Name", true)`, `"<Data Name=\"K\">1.50</Data>"`},
		{`xml.named(event.o, "D", "N", true, { "K", "-", "l", "<", "m", nil, "n", xml.empty("x") })`, `"<D N=\"K\">1.50</D><D N=\"L\">&lt;</D><D N=\"M\" /><D N=\"N\"><x /></D>"`},
		{`xml.named({ a = "<", b = etl.null }, "Data", "Name")`, `"<Data Name=\"a\">&lt;</Data><Data Name=\"b\" />"`},
		{`hash.sha256("abc")`, `"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"`},
		{`hash.md5("abc")`, `"900150983cd24fb0d6963f7d28e17f72"`},
		{`hash.sha1("abc")`, `"a9993e364706816aba3e25717850c26c9cd0d89d"`},
		{`hash.hmac_sha256("key", "The quick brown fox jumps over the lazy dog")`, `"f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"`},
		{`hash.sha256(event.o) == hash.sha256('{"k": 1.50}')`, `true`},
		{`base64.encode("abc") .. base64.decode("YWJj") .. base64.decode("YQ")`, `"YWJjabca"`},
		{`base64.decode("?")`, `"nil"`},
		{`json.encode(event.o)`, `"{\"k\": 1.50}"`},
		{`json.encode({ 1, "x", etl.null })`, `"[1,\"x\",null]"`},
		{`json.decode('{"a":[1,{"b":2}]}').a[2].b`, `2`},
		{`json.decode('{"a":[1, 2]}')`, `{"a":[1, 2]}`},
		{`json.decode('{')`, `"nil"`},
		{`time.parse("2025-10-09T08:31:05.002+0200")`, `1759991465.002`},
		{`time.parse("2025-10-09 08:31:05Z")`, `1759998665`},
		{`time.parse("yesterday")`, `"nil"`},
		{`time.format(1759991465.5)`, `"2025-10-09T06:31:05.5Z"`},
		{`time.format(1759991465, "%Y.%m.%d %H:%M:%S.%f %j %%", "+0200")`, `"2025.10.09 08:31:05.000000 282 %"`},
		{`time.format(1759991465, "%H %Z", "UTC") .. time.format(0, "%a %e %b %q%")`, `"06 UTCThu  1 Jan %q%"`},
		{`select(2, pcall(time.format, 0, "%H", "Nowhere/At all"))`, `"pipeline.hcl:13: bad argument #3 to (anonymous) (unknown time zone Nowhere/At all)"`},
		{`time.now()`, `1760011200`},
		{`("aÖé"):upper() .. ("aÖé"):lower() .. ("\195"):upper() .. ("É"):sub(1, 1):lower() .. "\137"`, `"AÖÉaöé` + "\ufffd" + `É"`},
		{`etl.capitalize("ärger") .. etl.capitalize("x") .. etl.capitalize("") .. etl.capitalize("9a")`, `"ÄrgerX9a"`},
		{`etl.is_object(event.o) and etl.is_object({}) and etl.is_object({ a = 1 }) and not etl.is_object(event.l) and not etl.is_object(etl.array()) and not etl.is_object({ 1 }) and not etl.is_object(nil) and not etl.is_object("x")`, `true`},
		{`etl.is_array(event.l) and etl.is_array(etl.array()) and etl.is_array({ 1 }) and not etl.is_array({}) and not etl.is_array(event.o) and not etl.is_array("x")`, `true`},
		{`syslog.priority(4, 5)`, `37`},
		{`("%5.1f|%-4s|%04d|%x|%q|%s"):format(3.14159, "ab", 42, 255, 'a"b', event.big)`, `"  3.1|ab  |0042|ff|\"a\\\"b\"|123456789012345678901"`},
		{`("%3s|%.2s|%i|%c|%g|%e"):format("a", "abc", 7.9, 65, 1e20, 1.5)`, `"  a|ab|7|A|1e+20|1.500000e+00"`},
		{`("x=1, y=2"):gsub("(%w)=(%w)", "%2=%1")`, `"1=x, 2=y"`},
		{`("hello"):gsub("l", { l = "L" }, 1)`, `"heLlo"`},
		{`("a.b"):find(".", 1, true)`, `2`},
		{`("key = value"):match("^(%w+)%s*=%s*(%w+)$")`, `"key"`},
		{`("abc"):rep(2) .. ("x"):rep(0)`, `"abcabc"`},
	} {
		if got := evaluate(t, event, c.expression); got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.expression, got, c.want)
		}
	}
}

func TestReplacedCharactersAreCounted(t *testing.T) {
	w := scriptOf(t, `local xml = require "xml" function process(e) return { x = xml.element("a", { "b", e.s }, e.s) } end`)
	for range 2 {
		if _, _, err := run(w, `{"s":"\u0001\u0002 \t ok"}`); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.transform.Repaired(); n != 8 {
		t.Errorf("%d characters in the statistics", n)
	}
	w.stop()
	if w.replaced != 8 {
		t.Errorf("%d characters", w.replaced)
	}
}

// FuzzTemplate: a template is refused, or gives XML that parses, whatever the member is.
func FuzzTemplate(f *testing.F) {
	f.Add("<a b='{x}'>{x} {{ {...}<c/></a>", "<&>")
	f.Add("<a xmlns:q='y {x}'><q:b>{none}</q:b></a>", "\x01")
	w := scriptOf(f, `local xml = require "xml" function process(e)
		local ok, t = pcall(xml.template, e.n)
		return { x = ok and t({ x = e.v }, e.v) or "" } end`)
	f.Fuzz(func(t *testing.T, text, value string) {
		text, err := xmlOf(w, "<root>"+text+"</root>", value)
		if err != nil || text == "" {
			t.Skip(err)
		}
		d := xml.NewDecoder(strings.NewReader(text))
		for {
			if _, err := d.RawToken(); errors.Is(err, io.EOF) {
				return
			} else if err != nil {
				t.Fatalf("%v: %s", err, text)
			}
		}
	})
}

// FuzzXML: whatever the name and the value, the result is XML and holds the
// value, as far as XML can.
func FuzzXML(f *testing.F) {
	f.Add("a", "x")
	f.Add("9:<", "a&b\x01\xff]]>")
	w := scriptOf(f, `local xml = require "xml" function process(e)
		return { x = xml.element(xml.name(e.n), { e.n, e.v }, e.v, xml.element(e.n, nil, e.v), xml.named({ [e.n] = e.v }, "D", "N", true)) } end`)
	f.Fuzz(func(t *testing.T, name, value string) {
		if strings.Contains(name, ":") {
			t.Skip() // the script's own prefix, which nobody declared
		}
		text, err := xmlOf(w, name, value)
		if err != nil {
			t.Fatal(err)
		}
		wellFormed(t, text)
		var element struct {
			Text string `xml:",chardata"`
		}
		if err := xml.Unmarshal([]byte(text), &element); err != nil {
			t.Fatal(err)
		}
	})
}

func xmlOf(w *worker, name, value string) (string, error) {
	_, events, err := run(w, fmt.Sprintf(`{"n":%s,"v":%s}`, quoteJSON(name), quoteJSON(value)))
	if err != nil {
		return "", err
	}
	root, err := events[0].Root()
	return root.Get("x").Text(), err
}

// quoteJSON keeps bytes that are no UTF-8, as a broken sender does.
func quoteJSON(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			fmt.Fprintf(&b, `\u%04x`, c)
		} else {
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func TestSyslogLines(t *testing.T) {
	for _, c := range []struct{ fields, want string }{
		{`{}`, `<14>1 - - - - - -`},
		{`{ facility = 4, severity = 5, timestamp = "2025-10-09T08:31:05.002+0000", hostname = "edge", app = "fail2ban.actions", procid = 2201, msgid = "BAN", message = "Ban 1.2.3.4" }`,
			`<37>1 2025-10-09T08:31:05.002Z edge fail2ban.actions 2201 BAN - Ban 1.2.3.4`},
		{`{ timestamp = "2025-10-09T08:31:05.1234567+0200", hostname = "é b", app = ("x"):rep(60), message = "a\nb\1" }`,
			`<14>1 2025-10-09T08:31:05.123456+02:00 __b ` + strings.Repeat("x", 48) + ` - - - a#012b#001`},
		{`{ data = etl.object("dfn@32473", etl.object("k", 'q"\\]', "a b", etl.null), "x=]", {}), message = event.m }`,
			`<14>1 - - - - - [dfn@32473 k="q\"\\\]" a_b=""][x__] ünï`},
		{`event.fields`, `<165>1 2025-01-01T00:00:00Z h - 7 - -`},
	} {
		w := scriptOf(t, `local syslog = require "syslog" function process(event) return { line = syslog.line(`+c.fields+`) } end`)
		_, events, err := run(w, `{"m":"ünï","fields":{"facility":20,"severity":"5","timestamp":"2025-01-01T00:00:00Z","hostname":"h","procid":7}}`)
		if err != nil {
			t.Errorf("%s: %v", c.fields, err)
			continue
		}
		root, _ := events[0].Root()
		line := root.Get("line").Text()
		if line != c.want {
			t.Errorf("got  %q\nwant %q", line, c.want)
		}
		if _, err := rfc5424.NewParser().Parse([]byte(line)); err != nil {
			t.Errorf("%q: %v", line, err)
		}
	}
	for _, fields := range []string{`{ facility = 24 }`, `{ severity = 8 }`, `{ severity = 1.5 }`, `{ timestamp = "now" }`} {
		w := scriptOf(t, `local syslog = require "syslog" function process(event) return { line = syslog.line(`+fields+`) } end`)
		if _, _, err := run(w, `{}`); err == nil {
			t.Errorf("%s is taken", fields)
		}
	}
}

// FuzzSyslog: whatever the fields, a parser of RFC 5424 takes the line and
// finds the message in it.
func FuzzSyslog(f *testing.F) {
	f.Add("host", "app", "id@1", "k", "v", "message")
	f.Add("a b\x00", strings.Repeat("é", 300), "=]", `"`, `\]"`, "\r\n\xff")
	w := scriptOf(f, `local syslog = require "syslog" function process(e)
		return { x = syslog.line { hostname = e.h, app = e.a, procid = e.a, msgid = e.h, data = { [e.i] = { [e.k] = e.v } }, message = e.m } } end`)
	f.Fuzz(func(t *testing.T, host, app, id, key, value, message string) {
		document := "{"
		for name, v := range map[string]string{"h": host, "a": app, "i": id, "k": key, "v": value, "m": message} {
			document += fmt.Sprintf("%q:%s,", name, quoteJSON(v))
		}
		_, events, err := run(w, strings.TrimSuffix(document, ",")+"}")
		if err != nil {
			t.Fatal(err)
		}
		root, _ := events[0].Root()
		line := root.Get("x").Text()
		parsed, err := rfc5424.NewParser().Parse([]byte(line))
		if err != nil {
			t.Fatalf("%v\n%q", err, line)
		}
		m := parsed.(*rfc5424.SyslogMessage)
		if (m.Message == nil) != (message == "") {
			t.Errorf("message %q of %q", message, line)
		}
	})
}

func TestTimeIsTheHosts(t *testing.T) {
	w := scriptOf(t, `local time = require "time" function process() return { t = time.format(time.now()) } end`)
	out, _, err := run(w, `{}`)
	if want := `{"t":"` + w.host.Now().Format(time.RFC3339) + `"}`; err != nil || out[0] != want {
		t.Errorf("%v %v, want %s", out, err, want)
	}
}
