package lua

import (
	"context"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/wazuh-etl/etl/runtime/event"
)

// budget bounds what a script may use for one event: time, and memory as the
// sum of all it allocates, garbage included, so that the same event always
// ends the same way.
//
// It is the context of its Lua state. gopher-lua asks a context's Done before
// each instruction, on its own goroutine: there the budget looks at the
// instruction and charges for what it will allocate, before it does. Go
// functions charge themselves. What is broken stays broken until the next
// event, so that a script's pcall can't go on after it.
type budget struct {
	stored bool // something was put where the next event may find it: see reuse.go
	state  *lua.LState
	limit  time.Duration
	memory int64

	used   int64
	steps  int // until the next look at the clock
	looked time.Time
	ran    time.Duration
	broken *event.Failure
	done   chan struct{} // nil while all is well
}

// The codes of failures that this package makes.
const (
	codeError  = "lua"
	codeTime   = "lua_time"
	codeMemory = "lua_memory"
)

// stepsBetween is how many instructions go by between two looks at the clock.
// No instruction takes more than a few milliseconds, whatever the script does.
const stepsBetween = 128

var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// begin starts the account of one event. The clock starts at its first look,
// so that a script that is done before pays nothing for it.
func (b *budget) begin() {
	b.used, b.steps, b.looked, b.ran, b.broken, b.done = 0, stepsBetween, time.Time{}, 0, nil, nil
}

// Done is called before each instruction.
func (b *budget) Done() <-chan struct{} {
	if b.steps--; b.steps < 0 {
		b.look()
	}
	f := currentFrame(b.state)
	if f == nil || f.Fn.Proto == nil || f.Pc == 0 {
		return b.done
	}
	if inst := f.Fn.Proto.Code[f.Pc-1]; charged[opcodeOf(inst)] {
		b.instruction(f, inst)
	}
	return b.done
}

// charged are the instructions that cost more than a step, or put something away.
var charged = [64]bool{
	lua.OP_CONCAT: true, lua.OP_SETTABLE: true, lua.OP_SETTABLEKS: true, lua.OP_SETUPVAL: true, lua.OP_SETGLOBAL: true,
	lua.OP_NEWTABLE: true, lua.OP_SETLIST: true,
	lua.OP_CLOSURE: true, lua.OP_LEN: true, lua.OP_EQ: true, lua.OP_LT: true, lua.OP_LE: true, lua.OP_ADD: true, lua.OP_SUB: true,
	lua.OP_MUL: true, lua.OP_DIV: true, lua.OP_MOD: true, lua.OP_POW: true, lua.OP_UNM: true,
}

// instruction charges for one of them, which is about to run.
func (b *budget) instruction(f *frame, inst uint32) {
	switch opcodeOf(inst) {
	case lua.OP_CONCAT:
		b.concat(inst)
	case lua.OP_SETTABLE, lua.OP_SETTABLEKS:
		b.setTable(f, inst)
	case lua.OP_SETUPVAL, lua.OP_SETGLOBAL:
		b.stored = true
	case lua.OP_NEWTABLE:
		b.charge(tableBytes + int64(argB(inst))*valueBytes + int64(argC(inst))*memberBytes)
	case lua.OP_SETLIST:
		n := argB(inst)
		if n == 0 { // up to the top: all results of a call
			n = b.state.GetTop() - argA(inst)
		}
		b.charge(int64(n) * valueBytes)
	case lua.OP_CLOSURE:
		b.charge(closureBytes)
	case lua.OP_LEN:
		b.steps -= 15 // the length of a table that was emptied from the end takes a walk
	case lua.OP_EQ, lua.OP_LT, lua.OP_LE, lua.OP_ADD, lua.OP_SUB, lua.OP_MUL, lua.OP_DIV, lua.OP_MOD, lua.OP_POW:
		b.long(b.operand(f, argB(inst)))
		b.long(b.operand(f, argC(inst)))
	case lua.OP_UNM:
		b.long(b.operand(f, argB(inst)))
	}
}

// long counts the work of comparing a text, or of reading a number in it.
func (b *budget) long(v lua.LValue) {
	if s, ok := v.(lua.LString); ok {
		b.steps -= len(s) / 64
	}
}

// About what things occupy.
const (
	valueBytes   = 16
	memberBytes  = 128
	tableBytes   = 600
	closureBytes = 256
	numberBytes  = 24
)

// register is the register r of the running function.
func (b *budget) register(r int) lua.LValue { return b.state.Get(r + 1) }

// operand is a register or a constant.
func (b *budget) operand(f *frame, x int) lua.LValue {
	if x&constantBit != 0 {
		return f.Fn.Proto.Constants[x&^constantBit]
	}
	return b.register(x)
}

func (b *budget) concat(inst uint32) {
	n := int64(0)
	for r := argB(inst); r <= argC(inst); r++ {
		if s, ok := b.register(r).(lua.LString); ok {
			n += int64(len(s))
		} else {
			n += numberBytes
		}
	}
	b.charge(n + valueBytes)
}

func (b *budget) setTable(f *frame, inst uint32) {
	t, ok := b.register(argA(inst)).(*lua.LTable)
	if !ok {
		return
	}
	b.chargeSet(t, b.operand(f, argB(inst)))
}

// chargeSet charges for t[key] = …: nothing for a key that is there, the whole
// gap for an index far behind the end.
func (b *budget) chargeSet(t *lua.LTable, key lua.LValue) {
	b.stored = true
	switch k := key.(type) {
	case lua.LString:
		if t.RawGetString(string(k)) == lua.LNil {
			b.charge(memberBytes)
		}
	case lua.LNumber:
		i := int(k)
		if lua.LNumber(i) != k || i < 1 || i >= lua.MaxArrayIndex {
			b.charge(memberBytes)
			return
		}
		if t.RawGetInt(i) != lua.LNil {
			return
		}
		b.charge(valueBytes)
		if i > 1 && t.RawGetInt(i-1) == lua.LNil {
			b.steps -= 15
			if gap := i - t.MaxN(); gap > 0 {
				b.charge(int64(gap) * valueBytes)
				b.steps -= gap / 64
			}
		}
	default:
		b.charge(memberBytes)
	}
}

// allocSet is chargeSet for a Go function that is about to set t[key].
func (b *budget) allocSet(t *lua.LTable, key lua.LValue) {
	if b.chargeSet(t, key); b.broken != nil {
		b.raise()
	}
}

// charge adds n bytes, and the work of filling them.
func (b *budget) charge(n int64) {
	b.used += n
	b.steps -= int(min(n, 1<<30) / 256)
	if b.used > b.memory && b.broken == nil {
		b.fail(event.Failf(codeMemory, "the script has used more than the %s of memory that one event may take (attribute `memory`)", sizeText(b.memory)))
	}
}

// alloc charges n bytes for a Go function that is about to allocate them.
func (b *budget) alloc(n int64) {
	if b.charge(n); b.broken != nil {
		b.raise()
	}
}

// spend counts steps of work in a Go function.
func (b *budget) spend(steps int) {
	if err := b.take(steps); err != nil {
		b.raise()
	}
}

// take is spend for who can return an error.
func (b *budget) take(steps int) error {
	if b.steps -= steps; b.steps < 0 {
		b.look()
	}
	if b.broken != nil {
		return b.broken
	}
	return nil
}

// look asks the clock. What goes by between two looks counts for a quarter of the limit at most: a machine that stands
// still, or has no processor to give, is not the script's fault, and one that runs too long is looked at again.
func (b *budget) look() {
	b.steps = stepsBetween
	now := time.Now()
	if !b.looked.IsZero() {
		b.ran += min(now.Sub(b.looked), b.limit/4)
	}
	if b.looked = now; b.ran > b.limit && b.broken == nil {
		b.fail(event.Failf(codeTime, "the script has run longer than the %s that one event may take (attribute `timeout`)", b.limit))
	}
}

func (b *budget) fail(f *event.Failure) { b.broken, b.done = f, closed }

func (b *budget) raise() { b.state.RaiseError("%s", b.broken.Message) }

// Err is what gopher-lua raises once Done is closed.
func (b *budget) Err() error {
	if b.broken != nil {
		return b.broken
	}
	return nil
}

// Deadline and Value are there to make it a context.
func (b *budget) Deadline() (time.Time, bool) { return time.Time{}, false }
func (b *budget) Value(any) any               { return nil }

var _ context.Context = (*budget)(nil)
