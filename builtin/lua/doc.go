// Package lua is transform "lua". A script is compiled once (program); each
// worker runs it in a state of its own (machine), which is bounded in time and memory for each
// event (budget). The event is a proxy over its document, which behaves as a table and is written out
// again from the bytes it came as wherever nothing was changed.
//
// Not obvious:
//   - gopher-lua asks the context before each instruction, on its own goroutine. That is where the
//     budget looks at the instruction (frame.go) and charges for it before it runs. A Go function that a
//     script can call must charge for itself: alloc before it allocates, spend for its work.
//   - Outside of a call, budget.alloc panics with Lua's error: use protect, or charge and take.
//   - There are no coroutines: a thread of gopher-lua gets a context of its own, which knows no budget.
//   - A string that a script gets is a copy, since it may keep it; an alias would keep the memory
//     of many events. Helpers in Go take texts from the document without one.
//   - What was made for an event is used again for the next unless something was put away (reuse.go):
//     a Go function that puts a value where a later call finds it sets budget.stored.
//   - An error swallowed by pcall leaves the state as it is; a limit never is swallowed, and its state is dropped.
package lua

// modulesDoc is the part of the reference page about the modules in Go.
const modulesDoc = `
### Modules in Go

They take texts, numbers and an event's tables as they are; a table counts as its JSON, an untouched one as the bytes it came as.

| function | gives |
| --- | --- |
| ` + "`xml.element(name, attributes, content…)`" + ` | ` + "`<name a=\"…\">content</name>`, or `<name />` without content" + ` |
| ` + "`xml.empty(name, attributes)`" + ` | ` + "`<name a=\"…\" />`" + ` |
| ` + "`xml.template(text)`" + ` | a function of an object and content that gives the XML of text, with members of the object in the places ` + "`{name}`, the content in `{...}`" + ` |
| ` + "`xml.named(object, ELEMENT, ATTRIBUTE[, capital[, lacking]])`" + ` | an element for each member of the object, its name in the attribute, with a capital first letter if ` + "`capital`" + ` is true; then one for each of ` + "`lacking`, `{ NAME, content, … }`" + `, whose name no member has, in whatever case |
| ` + "`xml.name(text)`, `xml.escape(text)`" + ` | a legal name, each illegal character an underscore; text as content |
| ` + "`syslog.line{facility=, severity=, timestamp=, hostname=, app=, procid=, msgid=, data=, message=}`" + ` | a line of RFC 5424, valid whatever the values are; ` + "`syslog.header{…}`" + ` without data and message |
| ` + "`syslog.priority(facility, severity)`" + ` | the number in front of such a line |
| ` + "`json.encode(value)`, `json.decode(text)`" + ` | JSON; a value, or ` + "`nil`" + ` and the reason |
| ` + "`hash.sha256(text)`, `hash.sha1`, `hash.md5`, `hash.hmac_sha256(key, text)`" + ` | hex digits |
| ` + "`base64.encode(text)`, `base64.decode(text)`" + ` | base64; the bytes, or ` + "`nil`" + ` and the reason |
| ` + "`time.now()`, `time.parse(text)`" + ` | seconds since 1970; of RFC 3339 or Wazuh's form, or ` + "`nil`" + ` and the reason |
| ` + "`time.format(seconds[, \"%Y.%m.%d\"[, zone]])`" + ` | text, RFC 3339 and UTC if nothing else is said |

Attributes of XML are names and values in turn, ` + "`{ \"Name\", x, \"Guid\", y }`" + `; a value that is nil leaves its attribute out. Content is text, which is escaped, what another of
these functions gave, which is not, or a list of such. What XML 1.0 forbids becomes U+FFFD; the log says how often. In a syslog line a field's illegal characters become underscores,
too long fields are cut, control characters of the message are written ` + "`#012`" + `; facility is 1 and severity 6 where they are missing, data is a table of tables.

The binary also has the Lua module ` + "`windows_xml`" + `: ` + "`windows_xml.event(alert.data.win)`" + ` is a Windows event in the XML of the event log.`
