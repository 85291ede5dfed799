package lua

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wazuh-etl/etl/runtime/document"
)

// What goes from an event's bytes to the next one's in one pass is held to the
// plain way: decode, escape for XML, escape for JSON.

func TestMarkupAgainstPlainXML(t *testing.T) {
	w := scriptOf(t, markupScript)
	for seed := range uint64(2000) {
		compareWithPlainXML(t, w, seed)
	}
}

func FuzzMarkupAgainstPlainXML(f *testing.F) {
	f.Add(uint64(1))
	w := scriptOf(f, markupScript)
	f.Fuzz(func(t *testing.T, seed uint64) { compareWithPlainXML(t, w, seed) })
}

// markupScript makes XML of a document that nobody has looked into, that it has
// read one member of, that it has read all of, and that it has written into.
const markupScript = `
local xml = require "xml"
local template = xml.template([[<x a="{a}" c="{b} {c}"><b>{b}</b><l>{list}</l>{...}</x>]])

function process(event)
  local doc = event.doc
  if event.mode == "looked" then local _ = doc.a, doc.none end
  if event.mode == "loaded" then for _ in pairs(doc) do end end
  if event.mode == "written" and type(doc.b) == "table" and not etl.is_array(doc.b) then doc.b.z = "<" end
  local bare = template(doc)
  local made = template(doc, xml.named(doc, "D", "N", true))
  return etl.object("bare", bare, "made", made, "text", tostring(made), "length", #made,
    "same", made == xml.element("x") or made == template(doc, xml.named(doc, "D", "N", true)))
end`

func compareWithPlainXML(t *testing.T, w *worker, seed uint64) {
	t.Helper()
	g := textGenerator{generator{rand.New(rand.NewPCG(seed, 2))}}
	doc := g.object(2)
	parsed, err := document.Parse([]byte(doc))
	if err != nil {
		t.Fatalf("seed %d: %v in %s", seed, err, doc)
	}
	for _, mode := range []string{"untouched", "looked", "loaded", "written"} {
		plain := parsed.Root()
		if mode == "written" && plain.Get("b").Kind() == document.Object {
			plain = plain.With([]string{"b", "z"}, document.NewText("<"))
		}
		bare, inBare := plainXML(plain, false)
		want, forbidden := plainXML(plain, true)
		before := w.machine.replaced
		out, events, err := run(w, `{"mode":"`+mode+`","doc":`+doc+`}`)
		if err != nil {
			t.Fatalf("seed %d, %s: %v\ndocument %s", seed, mode, err, doc)
		}
		root, _ := events[0].Root()
		for name, want := range map[string]string{"bare": bare, "made": want, "text": want} {
			if got := root.Get(name).Text(); got != want {
				t.Fatalf("seed %d, %s\ndocument %s\n%s %q\nwant %q", seed, mode, doc, name, got, want)
			}
		}
		if made := root.Get("made").String(); made != document.NewText(want).String() || !strings.Contains(out[0], made) {
			t.Fatalf("seed %d, %s\ndocument %s\nwritten %s\nwant %s", seed, mode, doc, out[0], document.NewText(want))
		}
		if n, _ := root.Get("length").Int64(); n != int64(len(want)) || !root.Get("same").IsTrue() {
			t.Fatalf("seed %d, %s: length %d of %d, same %v", seed, mode, n, len(want), root.Get("same"))
		}
		if n := int(w.machine.replaced - before); n != inBare+2*forbidden {
			t.Fatalf("seed %d, %s: %d forbidden characters counted, want %d and twice %d\n%s", seed, mode, n, inBare, forbidden, doc)
		}
	}
}

// plainXML is what markupScript's template makes of a document, with the names or without, and
// how many characters of it XML forbids.
func plainXML(doc document.Value, names bool) (text string, forbidden int) {
	member := func(name string, at *strings.Replacer) string {
		legal, n := legalXML(string(doc.Get(name).AppendText(nil)))
		forbidden += n
		return at.Replace(legal)
	}
	var b strings.Builder
	b.WriteString("<x")
	if doc.Get("a").Kind() != document.Missing {
		b.WriteString(` a="` + member("a", plainAttribute) + `"`)
	}
	b.WriteString(` c="` + member("b", plainAttribute) + " " + member("c", plainAttribute) + `">`)
	for _, name := range []string{"b", "list"} {
		b.WriteString(plainElement(name[:1], "", member(name, plainContent)))
	}
	for name := range doc.Members() {
		if !names {
			break
		}
		legal, n := legalXML(capitalize(name))
		forbidden += n
		b.WriteString(plainElement("D", ` N="`+plainAttribute.Replace(legal)+`"`, member(name, plainContent)))
	}
	b.WriteString("</x>")
	return b.String(), forbidden
}

var (
	plainContent   = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	plainAttribute = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\t", "&#09;", "\n", "&#10;", "\r", "&#13;")
)

func plainElement(name, attributes, content string) string {
	if content == "" {
		return "<" + name + attributes + " />"
	}
	return "<" + name + attributes + ">" + content + "</" + name + ">"
}

// legalXML is s with U+FFFD for what XML forbids.
func legalXML(s string) (legal string, forbidden int) {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			forbidden++
			return utf8.RuneError
		}
		return r
	}, s), forbidden
}

// textGenerator makes documents whose texts and names have all that can be written in them.
type textGenerator struct{ generator }

func (g textGenerator) text() string {
	var b strings.Builder
	for range g.IntN(8) {
		b.WriteString(g.pick(
			"a", "plain text", "sixteen bytes or more of it", "C:\\\\Windows\\\\System32", "<", "&", ">", "'", "&amp;", `\"`, `\\`, `\/`,
			`\b`, `\f`, `\n`, `\r`, `\t`, "\x7f", `\u0000`, `\u001F`, `\u0041`, `\u00e9`, `\u0026`, `\u0022`, `\u005c`,
			`\ufffd`, `\ufffe`, `\uFFFF`, `\ud800`, `\udc00x`, `\ud83d\ude00`, "é", "😀", "\ufffd", "\ufffe", "\xff", "\xc3", "\xed\xa0\x80",
		))
	}
	return `"` + b.String() + `"`
}

func (g textGenerator) value(depth int) string {
	switch n := g.IntN(8); {
	case n < 4:
		return g.text()
	case n == 4 && depth > 0:
		return g.object(depth - 1)
	case n == 5 && depth > 0:
		return "[" + g.value(depth-1) + ", " + g.text() + "]"
	default:
		return g.generator.value(0)
	}
}

func (g textGenerator) object(depth int) string {
	var members []string
	for range g.IntN(9) {
		name := fmt.Sprintf("%q", g.pick(memberNames...))
		switch g.IntN(4) {
		case 0:
			name = g.text()
		case 1:
			name = g.pick(`"\u0061"`, `"\u0062"`, `"élan"`, `"\u0000"`)
		}
		members = append(members, name+g.pick(":", " : ")+g.value(depth))
	}
	return "{" + strings.Join(members, ",") + "}"
}
