package seal

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// CodeNotCanonical is the failure of an event that has no canonical form.
const CodeNotCanonical = "not_canonical"

// canonical is v in the one form of RFC 8785, in the memory of dst as far as
// that reaches. RFC 8785 knows doubles only. A number with a fraction or an exponent is
// the nearest one, as every reader of JSON takes it; of an integer each digit counts (it
// is an id, or an inode), so that one which is written otherwise as a double is an error: other
// integers would have the same form, and so the same signature.
func canonical(dst []byte, v document.Value) ([]byte, error) {
	if err := representable(v); err != nil {
		return nil, err
	}
	form := jsontext.Value(v.AppendJSON(dst[:0]))
	if err := form.Canonicalize(); err != nil {
		return nil, event.Failf(CodeNotCanonical, "%v", err)
	}
	return form, nil
}

// representable says which number in v a double does not hold.
func representable(v document.Value) error {
	switch v.Kind() {
	case document.Number:
		f, ok := v.Float64()
		if ok && strings.ContainsAny(v.Number(), ".eE") || document.Equal(v, document.NewFloat(f)) {
			return nil
		}
		return event.Failf(CodeNotCanonical, "the number %s is none that canonical JSON (RFC 8785) can hold: make it a text", shortened(v.Number()))
	case document.Object:
		for _, member := range v.Members() {
			if err := representable(member); err != nil {
				return err
			}
		}
	case document.Array:
		for element := range v.Elements() {
			if err := representable(element); err != nil {
				return err
			}
		}
	}
	return nil
}

func shortened(text string) string {
	if len(text) > 40 {
		return text[:40] + "…"
	}
	return text
}

// parse reads one message that came from outside. It is stricter than a source:
// members of the same name, and text that is not UTF-8, are read by each reader in another way,
// and one of the ways would not be what was signed.
func parse(message []byte) (document.Value, error) {
	strict := jsontext.Value(bytes.Clone(message))
	if err := strict.Canonicalize(); err != nil {
		return document.Value{}, fmt.Errorf("the message can't be read in one way only: %w", err)
	}
	d, err := document.Parse(message)
	if err != nil {
		return document.Value{}, err
	}
	if d.Root().Kind() != document.Object {
		return document.Value{}, fmt.Errorf("the message is a JSON %s, and no object", d.Root().Kind())
	}
	return d.Root(), nil
}
