package lua

import (
	"math"

	lua "github.com/yuin/gopher-lua"
)

// arithmetic is Lua's, by the name of its metamethod.
var arithmetic = map[string]func(a, b lua.LNumber) lua.LNumber{
	"__add": func(a, b lua.LNumber) lua.LNumber { return a + b },
	"__sub": func(a, b lua.LNumber) lua.LNumber { return a - b },
	"__mul": func(a, b lua.LNumber) lua.LNumber { return a * b },
	"__div": func(a, b lua.LNumber) lua.LNumber { return a / b },
	"__pow": func(a, b lua.LNumber) lua.LNumber { return lua.LNumber(math.Pow(float64(a), float64(b))) },
	"__mod": func(a, b lua.LNumber) lua.LNumber {
		return a - lua.LNumber(math.Floor(float64(a)/float64(b)))*b
	},
}
