package expression

import (
	"strings"
	"unicode/utf8"

	"github.com/wazuh-etl/etl/runtime/document"
)

var textFunctions = []function{
	{name: "lower", args: "text", doc: "The text in lower case.", result: document.Text, call: mapText(strings.ToLower)},
	{name: "upper", args: "text", doc: "The text in upper case.", result: document.Text, call: mapText(strings.ToUpper)},
	{name: "trim", args: "text, chars?", doc: "The text without white space, or without any of chars, at both ends.", result: document.Text,
		call: func(f *frame, a []document.Value) document.Value {
			s, ok := texts(a)
			switch {
			case !ok:
				return f.nothing()
			case len(s) == 1:
				return document.NewText(strings.TrimSpace(s[0]))
			}
			return document.NewText(strings.Trim(s[0], s[1]))
		}},
	{name: "trimPrefix", args: "text, prefix", doc: "The text without the prefix, if it begins with it.", result: document.Text, call: pairText(strings.TrimPrefix)},
	{name: "trimSuffix", args: "text, suffix", doc: "The text without the suffix, if it ends with it.", result: document.Text, call: pairText(strings.TrimSuffix)},
	{name: "hasPrefix", args: "text, prefix", doc: "Whether the text begins with the prefix, as startsWith.", result: document.Bool, test: testText(strings.HasPrefix)},
	{name: "hasSuffix", args: "text, suffix", doc: "Whether the text ends with the suffix, as endsWith.", result: document.Bool, test: testText(strings.HasSuffix)},
	{name: "split", args: "text, separator, most?", doc: "The parts of the text between separators; at most so many, the last one with the rest.", result: document.Array, call: split(0)},
	{name: "splitAfter", args: "text, separator, most?", doc: "As split; the parts keep their separator.", result: document.Array, call: split(1)},
	{name: "join", args: "list, separator?", doc: "The texts of the items, with the separator between them. A nil item is an empty text.", result: document.Text, call: join},
	{name: "replace", args: "text, old, new, most?", doc: "The text with new for every old, or for the first so many.", result: document.Text, call: replace},
	{name: "repeat", args: "text, times", doc: "The text so many times.", result: document.Text, call: repeat},
	{name: "indexOf", args: "text, part", doc: "Where the part stands first, in characters from 0; -1 if it does not.", result: document.Number, call: index(strings.Index)},
	{name: "lastIndexOf", args: "text, part", doc: "Where the part stands last; -1 if it does not.", result: document.Number, call: index(strings.LastIndex)},
	{name: "regex_find", args: "text, pattern", doc: "What the regular expression finds first: its first group, or all of it if it has none; nil if nothing matches.", result: document.Text, call: nil},
	{name: "regex_replace", args: "text, pattern, new", doc: "The text with new for every match; $1 in new is the first group.", result: document.Text, call: nil},
	{name: "string", args: "value", doc: "The value as text: numbers as written, times by RFC 3339, lists and objects as JSON.", result: document.Text, call: toText},
	{name: "json", args: "value", doc: "The value as JSON on one line, without blanks that were not there.", result: document.Text, call: toJSON},
	{name: "toJSON", args: "value", doc: "The same as json.", result: document.Text, call: toJSON},
	{name: "fromJSON", args: "text", doc: "The value that the JSON text spells; nil if it is not JSON.", call: fromJSON},
}

// texts are the arguments, each where a text is wanted.
func texts(args []document.Value) (s [4]string, ok bool) {
	ok = true
	for i, a := range args {
		if s[i], ok = text(a); !ok {
			return s, false
		}
	}
	return s, true
}

func mapText(change func(string) string) func(*frame, []document.Value) document.Value {
	return func(f *frame, args []document.Value) document.Value {
		s, ok := text(args[0])
		if !ok {
			return f.nothing()
		}
		if !f.room(len(s)) {
			return document.Value{}
		}
		return document.NewText(change(s))
	}
}

func pairText(change func(s, t string) string) func(*frame, []document.Value) document.Value {
	return func(f *frame, args []document.Value) document.Value {
		s, ok := texts(args)
		if !ok {
			return f.nothing()
		}
		return document.NewText(change(s[0], s[1]))
	}
}

func testText(holds func(s, t string) bool) func(*frame, []document.Value) bool {
	return func(f *frame, args []document.Value) bool { return f.texts(args[0], args[1], holds) }
}

// count is an argument that says how many; all of them where it is left out.
func count(args []document.Value, at int) (n int, ok bool) {
	if at >= len(args) {
		return -1, true
	}
	i, ok := args[at].Int64()
	return int(max(min(i, budget), -1)), ok
}

func split(keep int) func(*frame, []document.Value) document.Value {
	return func(f *frame, args []document.Value) document.Value {
		s, ok := texts(args[:2])
		n, isCount := count(args, 2)
		if !ok || !isCount {
			return f.nothing()
		}
		parts := strings.Count(s[0], s[1]) + 1
		if n >= 0 {
			parts = min(parts, n)
		}
		if !f.spend(parts * elementCost) {
			return document.Value{}
		}
		cut := strings.SplitN
		if keep > 0 {
			cut = strings.SplitAfterN
		}
		items := make([]document.Value, 0, parts)
		for _, part := range cut(s[0], s[1], n) {
			items = append(items, document.NewText(part))
		}
		return document.NewArray(items)
	}
}

func join(f *frame, args []document.Value) document.Value {
	if args[0].Kind() != document.Array {
		return f.nothing()
	}
	s, ok := texts(args[1:])
	if !ok {
		return f.nothing()
	}
	out, first := f.buffer[:0], true
	for v := range args[0].Elements() {
		if !first {
			out = append(out, s[0]...)
		}
		first = false
		out = v.AppendText(out)
		if len(out) > textLimit {
			f.room(len(out))
			break
		}
	}
	return f.finish(out)
}

// finish makes a text of bytes that stand in the frame's buffer.
func (f *frame) finish(out []byte) document.Value {
	const keep = 64 << 10
	if cap(out) <= keep {
		f.buffer = out[:0]
	}
	if !f.room(len(out)) {
		return document.Value{}
	}
	return document.NewText(string(out))
}

func replace(f *frame, args []document.Value) document.Value {
	s, ok := texts(args[:3])
	n, isCount := count(args, 3)
	if !ok || !isCount {
		return f.nothing()
	}
	times := strings.Count(s[0], s[1])
	if n >= 0 {
		times = min(times, n)
	}
	if !f.room(len(s[0]) + times*max(len(s[2])-len(s[1]), 0)) {
		return document.Value{}
	}
	return document.NewText(strings.Replace(s[0], s[1], s[2], n))
}

func repeat(f *frame, args []document.Value) document.Value {
	s, ok := text(args[0])
	n, isCount := args[1].Int64()
	if !ok || !isCount || n < 0 {
		return f.nothing()
	}
	if len(s) > 0 && n > textLimit {
		n = textLimit + 1
	}
	if !f.room(len(s) * int(n)) {
		return document.Value{}
	}
	if len(s) == 0 {
		return document.NewText("")
	}
	return document.NewText(strings.Repeat(s, int(n)))
}

func index(find func(s, part string) int) func(*frame, []document.Value) document.Value {
	return func(f *frame, args []document.Value) document.Value {
		s, ok := texts(args)
		if !ok {
			return f.nothing()
		}
		at := find(s[0], s[1])
		if at > 0 {
			at = utf8.RuneCountInString(s[0][:at])
		}
		return document.NewInt(int64(at))
	}
}

func toText(f *frame, args []document.Value) document.Value {
	if args[0].Kind() == document.Text {
		return args[0]
	}
	return f.finish(args[0].AppendText(f.buffer[:0]))
}

func toJSON(f *frame, args []document.Value) document.Value {
	return f.finish(args[0].AppendJSON(f.buffer[:0]))
}

func fromJSON(f *frame, args []document.Value) document.Value {
	if args[0].Kind() != document.Text {
		return f.nothing()
	}
	s := args[0].Text()
	const indexed = 16 // the index of a document may be so many times its text
	if !f.spend(len(s) * indexed) {
		return document.Value{}
	}
	parsed, err := document.Parse([]byte(s))
	if err != nil {
		return f.nothing()
	}
	return parsed.Root()
}
