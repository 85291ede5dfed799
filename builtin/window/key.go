package window

import (
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// maxKey is the longest key that is kept as it is, in bytes.
const maxKey = 1024

// keyed computes keys of events, one at a time.
type keyed struct {
	template component.Template // nil: all events have the same key
	buffer   []byte
}

// of is the key of e, good until the next call. The error is the event's own.
func (k *keyed) of(e *event.Event) (key []byte, err error) {
	if k.template == nil {
		return nil, nil
	}
	if k.buffer, err = k.template.AppendText(k.buffer[:0], e); err != nil {
		return nil, err
	}
	if len(k.buffer) > maxKey {
		return nil, event.Failf("key_too_long", "the key has %d bytes, at most %d are allowed: %.60q…", len(k.buffer), maxKey, k.buffer)
	}
	return k.buffer, nil
}

// member adds the key to what is told of it, if there are keys.
func (k *keyed) member(members []document.Member, key string) []document.Member {
	if k.template == nil {
		return members
	}
	return append(members, text("key", key))
}

func text(name, value string) document.Member {
	return document.Member{Name: name, Value: document.NewText(value)}
}

func number(name string, value int) document.Member {
	return document.Member{Name: name, Value: document.NewInt(int64(value))}
}

// moment is a time as text, as in every event that came as text.
func moment(name string, t time.Time) document.Member {
	return text(name, t.UTC().Format(time.RFC3339Nano))
}
