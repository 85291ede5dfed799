package lua

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"

	lua "github.com/yuin/gopher-lua"
)

// hashModule: sha256, sha1, md5 of a text, and hmac_sha256(key, text), in hex.
// A table is hashed as its JSON, an untouched one of an event as the bytes it came as.
func (m *machine) hashModule() functions {
	sum := func(f func(string) []byte) lua.LGFunction {
		return func(L *lua.LState) int { return m.push(L, hex.EncodeToString(f(m.bytesOf(L, 1)))) }
	}
	return functions{
		"md5":    sum(func(s string) []byte { h := md5.Sum([]byte(s)); return h[:] }),
		"sha1":   sum(func(s string) []byte { h := sha1.Sum([]byte(s)); return h[:] }),
		"sha256": sum(func(s string) []byte { h := sha256.Sum256([]byte(s)); return h[:] }),
		"hmac_sha256": func(L *lua.LState) int {
			mac := hmac.New(sha256.New, []byte(m.bytesOf(L, 1)))
			mac.Write([]byte(m.bytesOf(L, 2)))
			return m.push(L, hex.EncodeToString(mac.Sum(nil)))
		},
	}
}

// bytesOf is argument n as text: a table as its JSON. Copying and working
// through it is charged.
func (m *machine) bytesOf(L *lua.LState, n int) string {
	v := L.CheckAny(n)
	if v == lua.LNil {
		L.ArgError(n, "text expected, got nil")
	}
	s := m.writtenText(v)
	m.budget.alloc(int64(len(s)))
	m.budget.spend(len(s) / 16)
	return s
}

// base64Module: encode(text), and decode(text), which is nil and the reason for what is
// no base64. Padding may be missing.
func (m *machine) base64Module() functions {
	return functions{
		"encode": func(L *lua.LState) int {
			s := m.bytesOf(L, 1)
			m.budget.alloc(int64(base64.StdEncoding.EncodedLen(len(s))))
			return m.push(L, base64.StdEncoding.EncodeToString([]byte(s)))
		},
		"decode": func(L *lua.LState) int {
			s := m.bytesOf(L, 1)
			encoding := base64.StdEncoding
			if len(s)%4 != 0 {
				encoding = base64.RawStdEncoding
			}
			b, err := encoding.DecodeString(s)
			if err != nil {
				L.Push(lua.LNil)
				L.Push(lua.LString(err.Error()))
				return 2
			}
			return m.push(L, string(b))
		},
	}
}
