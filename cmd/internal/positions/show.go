package positions

import (
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/wazuh-etl/etl/runtime/state"
)

// shown is everything of one address.
type shown struct {
	Address     string             `json:"address"`
	Checkpoints []state.Checkpoint `json:"checkpoints,omitempty"`
	Store       map[string]any     `json:"store,omitempty"`
	Bytes       int64              `json:"bytes,omitempty"`
	Files       string             `json:"files,omitempty"`
}

// Show writes everything that is kept of address as JSON: checkpoints that it
// has as source or sink, and its store, whose values are JSON, text, or bytes
// in base64. ok is false if there is nothing.
func (t *Target) Show(w io.Writer, address string) (ok bool, err error) {
	d, _, err := t.Look()
	if err != nil {
		return false, err
	}
	s := shown{Address: address, Store: map[string]any{}}
	for _, c := range d.All() {
		if c.Source == address || c.Sink == address {
			s.Checkpoints = append(s.Checkpoints, c)
		}
	}
	stored, err := d.Stored()
	if err != nil {
		return false, err
	}
	for _, k := range stored {
		if k.Address != address {
			continue
		}
		s.Bytes, s.Files = k.Bytes, k.Dir
		store := d.Component(address)
		for _, key := range store.Keys() {
			value, _ := store.Get(key)
			switch {
			case json.Valid(value):
				s.Store[key] = json.RawMessage(value)
			case utf8.Valid(value):
				s.Store[key] = string(value)
			default:
				s.Store[key] = value
			}
		}
	}
	if len(s.Checkpoints) == 0 && s.Bytes == 0 {
		return false, nil
	}
	return true, write(w, s)
}

func write(w io.Writer, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	_, err = w.Write(append(raw, '\n'))
	return err
}
