package wazuh

import (
	"encoding/json"

	"github.com/wazuh-etl/etl/runtime/document"
)

// maxMessage is what Wazuh's own senders keep to: OS_MAXSTR less the NUL.
const maxMessage = 65535

// appendHeader appends all that stands before the payload. Queue 1 is that of
// local files: what comes there goes through the decoders.
func appendHeader(dst []byte, agent document.Value, location []byte) []byte {
	dst = append(dst, "1:"...)
	id := agent.Get("id").AppendText(nil)
	if len(id) > 0 && string(id) != "000" {
		ip := agent.Get("ip").AppendText(nil)
		if len(ip) == 0 {
			ip = []byte("any")
		}
		dst = append(dst, '[')
		dst = appendEscaped(dst, id)
		dst = append(dst, "] ("...)
		dst = appendEscaped(dst, agent.Get("name").AppendText(nil))
		dst = append(dst, ") "...)
		dst = appendEscaped(dst, ip)
		dst = append(dst, "->"...)
	}
	dst = appendEscaped(dst, location)
	return append(dst, ':')
}

// appendEscaped appends text so that the manager does not take a colon in it
// for the end of the location.
func appendEscaped(dst, text []byte) []byte {
	for _, c := range text {
		if c == '|' || c == ':' {
			dst = append(dst, '|')
		}
		dst = append(dst, oneLine(c))
	}
	return dst
}

// appendPayload appends a payload as one line: JSON with the blanks that
// Python's json.dumps writes, since rules and tests out there compare text.
func appendPayload(dst, payload []byte) []byte {
	if !composite(payload) || !json.Valid(payload) {
		for _, c := range payload {
			dst = append(dst, oneLine(c))
		}
		return dst
	}
	quoted := false
	for i := 0; i < len(payload); i++ {
		c := payload[i]
		switch {
		case quoted && c == '\\':
			dst = append(dst, c, payload[i+1])
			i++
			continue
		case c == '"':
			quoted = !quoted
		case quoted:
		case blank(c):
			continue
		case c == ',' || c == ':':
			dst = append(dst, c, ' ')
			continue
		}
		dst = append(dst, c)
	}
	return dst
}

// composite says whether payload begins as a JSON object or list does.
func composite(payload []byte) bool {
	for _, c := range payload {
		if !blank(c) {
			return c == '{' || c == '['
		}
	}
	return false
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// oneLine is c, or a blank for what would end the line.
func oneLine(c byte) byte {
	if c == '\n' || c == '\r' || c == 0 {
		return ' '
	}
	return c
}
