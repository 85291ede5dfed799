package nats

import (
	"fmt"
	"strings"

	"github.com/wazuh-etl/etl/runtime/component"
)

// encodingHeader says how a message is compressed, as in HTTP.
const encodingHeader = "Content-Encoding"

// checkHeaders says which headers can't be: what is no name, and what would
// speak to the server in our name.
func checkHeaders(value any) error {
	for _, h := range value.([]component.NamedTemplate) {
		if h.Name == "" || strings.ContainsFunc(h.Name, func(r rune) bool { return r <= ' ' || r >= 0x7F || r == ':' }) {
			return fmt.Errorf("%q is no name of a header", h.Name)
		}
		if len(h.Name) >= 5 && strings.EqualFold(h.Name[:5], "Nats-") {
			return fmt.Errorf("headers that begin with Nats- are commands to the server: %s", h.Name)
		}
	}
	return nil
}

// plain is an id as a header's value: what the client would change on the way
// is %XX, so that two ids stay two.
func plain(id string) string {
	odd := func(i int) bool {
		c := id[i]
		return c < ' ' || c == 0x7F || c == '%' || c == ' ' && (i == 0 || i == len(id)-1)
	}
	for i := range len(id) {
		if !odd(i) {
			continue
		}
		var b strings.Builder
		for i := range len(id) {
			if odd(i) {
				fmt.Fprintf(&b, "%%%02X", id[i])
			} else {
				b.WriteByte(id[i])
			}
		}
		return b.String()
	}
	return id
}
