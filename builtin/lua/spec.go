package lua

import (
	"errors"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
)

// Specs are the components of this package.
func Specs() []*component.Spec { return []*component.Spec{spec} }

var spec = &component.Spec{
	Role:    component.RoleTransform,
	Kind:    "lua",
	Summary: "Runs a Lua function on each event",
	Doc: `The script has a function ` + "`process(event)`" + `. What it returns is what comes out:

| returned | comes out |
| --- | --- |
| the event, unchanged | the same event |
| the event changed, or a table with names | one new event |
| a list of such tables (also an empty one) | as many new events |
| ` + "`nil`" + ` | nothing: the event is dropped |
| ` + "`error(\"…\")`" + ` | the event goes to ` + "`.errors`" + `, with line and traceback |

An event is a table: ` + "`event.data.srcip`, `pairs`, `ipairs`, `#`" + ` and the table library work as on any
other, in the order of the document. What the script does not change goes out byte for byte as it came in.
JSON null is ` + "`etl.null`" + `, which is true as a condition; what is not there is ` + "`nil`" + `. A number that a float
doesn't hold exactly keeps its text: it computes as the nearest float, compares only with its like, and ` + "`tonumber`" + ` makes a
plain one of it. An event, and every table in it, belongs to its call of ` + "`process`" + `: used later it is an error; keep
` + "`etl.copy(event)`" + ` instead.

` + "`etl.object(\"a\", 1, \"b\", nil, …)`" + ` makes a table in the order written and leaves out what is nil;
` + "`etl.array(…)`" + ` makes a list, also an empty one (a plain ` + "`{}`" + ` inside an event is an object); ` + "`etl.is_array(v)` and `etl.is_object(v)`" + ` tell the two apart, ` + "`etl.capitalize(text)`" + ` makes the first letter a capital.
` + "`etl.text(event, \"data\", \"version\")`" + ` is a value as text, numbers as they were written; ` + "`etl.texts(t)`" + ` goes over a
table that way. ` + "`etl.origin`" + ` is the document as its source gave it, ` + "`etl.meta`" + ` the event's meta; neither can be changed.
` + "`config`" + ` is the attribute of that name.

` + "`require \"NAME\"`" + ` finds NAME.lua beside the pipeline, in ` + "`lua/`" + ` beside it, or in the binary, and the Go modules ` + "`xml`, `syslog`, `json`, `hash`, `base64`, `time`" + `.
Names are written out, so that all is compiled when the pipeline is loaded.

Each worker has a Lua state of its own, so what a script keeps in locals outside of ` + "`process`" + ` is kept once per worker, and is lost when
the script is reloaded or runs into a limit. Globals can't be set once the script is loaded. There is no os, io, debug, load, coroutine; ` + "`print`" + ` writes to the log at level debug. A script that
runs longer than ` + "`timeout`" + ` or allocates more than ` + "`memory`" + ` for one event ends there, whatever it does, and the event goes to ` + "`.errors`" + `.
` + modulesDoc,
	Attrs: []component.Attr{
		{Name: "script", Type: component.TypeReadPath, Doc: "The script's file. It or `code` must be written."},
		{Name: "code", Type: component.TypeCode, Doc: "The script itself, as a heredoc. `${` and `%{` in it are errors that say what to write."},
		{Name: "config", Type: component.TypeAny, Doc: "What the script sees as the global `config`, an object or a list. Load time.", Check: checkConfig},
		{Name: "timeout", Type: component.TypeDuration, Default: time.Second, Doc: "How long the script may run for one event.", Check: checkTimeout},
		{Name: "memory", Type: component.TypeSize, Default: int64(128 << 20), Doc: "How much the script may allocate for one event, garbage included, and how much it may keep in its variables from event to event. At least `1MiB`.", Check: checkMemory},
	},
	Example: `transform "lua" "bans" {
  from = filter.fail2ban
  code = <<-LUA
    function process(event)
      event.summary = event.agent.name .. " banned " .. event.data.srcip
      return event
    end
  LUA
}`,
	NewTransform: newTransform,
}

func checkConfig(value any) error {
	if v, ok := value.(document.Value); ok && v.Kind() != document.Object && v.Kind() != document.Array {
		return errors.New("config is an object or a list: config = { NAME = VALUE }")
	}
	return nil
}

func checkTimeout(value any) error {
	if d, ok := value.(time.Duration); ok && d <= 0 {
		return errors.New("a script needs some time: timeout is more than 0s")
	}
	return nil
}

func checkMemory(value any) error {
	if n, ok := value.(int64); ok && n < 1<<20 {
		return errors.New("a script needs some memory: memory is at least 1MiB")
	}
	return nil
}
