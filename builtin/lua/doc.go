package lua

// modulesDoc is the part of the reference page about the modules in Go.
const modulesDoc = `
### Modules in Go

They take texts, numbers and an event's tables as they are; a table counts as its JSON, an untouched one as the bytes it came as.

| function | gives |
| --- | --- |
| ` + "`xml.element(name, attributes, content…)`" + ` | ` + "`<name a=\"…\">content</name>`, or `<name />` without content" + ` |
| ` + "`xml.empty(name, attributes)`" + ` | ` + "`<name a=\"…\" />`" + ` |
| ` + "`xml.members(object, {ELEMENT, MEMBER, …})`" + ` | an element for each pair, with the text of the object's member |
| ` + "`xml.named(object, ELEMENT, ATTRIBUTE[, capital])`" + ` | an element for each member of the object, its name in the attribute, with a capital first letter if ` + "`capital`" + ` is true |
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
