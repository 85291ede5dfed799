package lua

import (
	"reflect"
	"unsafe"

	lua "github.com/yuin/gopher-lua"
)

// frame mirrors gopher-lua's call frame, so that the budget can see which
// instruction comes next. gopher-lua has no public way to it; if a new version
// of it changes the frame, frameOffset panics and every test fails.
type frame struct {
	Idx        int
	Fn         *lua.LFunction
	Parent     *frame
	Pc         int
	Base       int
	LocalBase  int
	ReturnBase int
	NArgs      int
	NRet       int
	TailCall   int
}

var frameOffset = func() uintptr {
	field, ok := reflect.TypeFor[lua.LState]().FieldByName("currentFrame")
	if !ok || field.Type.Kind() != reflect.Pointer || !sameLayout(field.Type.Elem(), reflect.TypeFor[frame]()) {
		panic("lua: this version of gopher-lua has another call frame than the one mirrored here")
	}
	return field.Offset
}()

func sameLayout(a, b reflect.Type) bool {
	if a.Kind() != reflect.Struct || a.NumField() != b.NumField() || a.Size() != b.Size() {
		return false
	}
	for i := range a.NumField() {
		f, g := a.Field(i), b.Field(i)
		if f.Name != g.Name || f.Offset != g.Offset || f.Type.Kind() != g.Type.Kind() {
			return false
		}
	}
	return true
}

// currentFrame is the frame that l runs, nil outside of a call.
func currentFrame(l *lua.LState) *frame {
	return *(**frame)(unsafe.Add(unsafe.Pointer(l), frameOffset))
}

// The parts of an instruction.
func opcodeOf(inst uint32) int { return int(inst >> 26) }
func argA(inst uint32) int     { return int(inst>>18) & 0xff }
func argB(inst uint32) int     { return int(inst & 0x1ff) }
func argC(inst uint32) int     { return int(inst>>9) & 0x1ff }

// constantBit marks an operand that is a constant and no register.
const constantBit = 1 << 8
