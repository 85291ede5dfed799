package expression

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/wazuh-etl/etl/runtime/document"
)

var codingFunctions = []function{
	{name: "sha256", args: "text", doc: "The SHA-256 of the text, hexadecimal.", result: document.Text, call: digest(func(b []byte) []byte { s := sha256.Sum256(b); return s[:] })},
	{name: "sha512", args: "text", doc: "The SHA-512 of the text, hexadecimal.", result: document.Text, call: digest(func(b []byte) []byte { s := sha512.Sum512(b); return s[:] })},
	{name: "sha1", args: "text", doc: "The SHA-1 of the text, hexadecimal. Broken: for old systems only.", result: document.Text, call: digest(func(b []byte) []byte { s := sha1.Sum(b); return s[:] })},
	{name: "md5", args: "text", doc: "The MD5 of the text, hexadecimal. Broken: for old systems only.", result: document.Text, call: digest(func(b []byte) []byte { s := md5.Sum(b); return s[:] })},
	{name: "hmac_sha256", args: "key, text", doc: "The HMAC-SHA-256 of the text, hexadecimal.", result: document.Text, call: func(f *frame, a []document.Value) document.Value {
		s, ok := texts(a)
		if !ok {
			return f.nothing()
		}
		mac := hmac.New(sha256.New, []byte(s[0]))
		mac.Write([]byte(s[1]))
		return document.NewText(hex.EncodeToString(mac.Sum(nil)))
	}},
	{name: "base64", args: "text", doc: "The text in base64.", result: document.Text, call: toBase64},
	{name: "toBase64", args: "text", doc: "The same as base64.", result: document.Text, call: toBase64},
	{name: "unbase64", args: "text", doc: "The text that is written in base64; nil if it is not.", result: document.Text, call: fromBase64},
	{name: "fromBase64", args: "text", doc: "The same as unbase64.", result: document.Text, call: fromBase64},
}

func digest(sum func([]byte) []byte) func(*frame, []document.Value) document.Value {
	return func(f *frame, args []document.Value) document.Value {
		s, ok := text(args[0])
		if !ok {
			return f.nothing()
		}
		return document.NewText(hex.EncodeToString(sum([]byte(s))))
	}
}

func toBase64(f *frame, args []document.Value) document.Value {
	s, ok := text(args[0])
	if !ok {
		return f.nothing()
	}
	if !f.room(base64.StdEncoding.EncodedLen(len(s))) {
		return document.Value{}
	}
	return document.NewText(base64.StdEncoding.EncodeToString([]byte(s)))
}

func fromBase64(f *frame, args []document.Value) document.Value {
	s, ok := text(args[0])
	if !ok || !f.room(len(s)) {
		return f.nothing()
	}
	decoded, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return f.nothing()
	}
	return document.NewText(strings.ToValidUTF8(string(decoded), "\uFFFD"))
}

// regexCall compiles regex_find and regex_replace. A pattern that is known is
// compiled at load.
func (c *compiler) regexCall(fn *function, k code, args []code, nodes []ast.Node) code {
	p, ok := c.pattern(nodes[1], args[1])
	if !ok {
		return bad
	}
	with := *fn
	with.call = func(f *frame, values []document.Value) document.Value {
		s, isText := text(values[0])
		re := p.compile(f, values[1])
		if !isText || re == nil {
			return f.nothing()
		}
		if len(values) == 2 {
			at := re.FindStringSubmatchIndex(s)
			switch {
			case at == nil:
				return document.Value{}
			case len(at) == 2:
				return document.NewText(s[at[0]:at[1]])
			case at[2] < 0:
				return document.Value{}
			}
			return document.NewText(s[at[2]:at[3]])
		}
		replacement, isText := text(values[2])
		if !isText {
			return f.nothing()
		}
		var out []byte
		last := 0
		for _, at := range re.FindAllStringSubmatchIndex(s, -1) {
			out = append(out, s[last:at[0]]...)
			out = re.ExpandString(out, replacement, s, at)
			last = at[1]
			if len(out) > textLimit {
				break
			}
		}
		return f.finish(append(out, s[last:]...))
	}
	return plain(c, &with, k, args)
}
