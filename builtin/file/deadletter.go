package file

import (
	"context"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/deadletter"
	"github.com/wazuh-etl/etl/runtime/linefile"
)

// deadLetters is sink "dead_letter".
type deadLetters struct {
	path     string
	maxBytes int64
	store    *deadletter.Store
}

func newDeadLetters(c *component.Config) (component.Sink, error) {
	return &deadLetters{path: c.String("path"), maxBytes: c.Size("max_bytes")}, nil
}

// BuiltinDeadLetters is the same store for what no component listens to, at an
// absolute path.
func BuiltinDeadLetters(path string) component.Sink {
	return &deadLetters{path: path, maxBytes: deadletter.DefaultMaxBytes}
}

// Encode makes the record; what a payload attribute says plays no part.
func (d *deadLetters) Encode(m *component.Message) error {
	m.Payload = deadletter.AppendRecord(nil, m.Event)
	return nil
}

// Open makes the file.
func (d *deadLetters) Open(_ context.Context, host *component.Host) error {
	store, err := deadletter.Open(host.FS, d.path, d.maxBytes, host.Log)
	if err == nil {
		d.store = store
		return nil
	}
	if linefile.Unusable(err) {
		return err
	}
	host.Health(err) // Deliver tries again
	d.store = deadletter.New(host.FS, d.path, d.maxBytes, host.Log)
	return nil
}

// Deliver stores the records with one sync.
func (d *deadLetters) Deliver(_ context.Context, messages []*component.Message) error {
	records := make([][]byte, len(messages))
	for i, m := range messages {
		records[i] = m.Payload
	}
	if err := d.store.AppendRecords(records...); err != nil {
		return err
	}
	for _, m := range messages {
		m.Done()
	}
	return nil
}

// Limits are those of one sync.
func (d *deadLetters) Limits() (messages int, bytes int64, inFlight int) { return 2000, 4 << 20, 0 }

// Destination is the file.
func (d *deadLetters) Destination() (place, command string) { return d.path, "tail " + d.path }

// Close closes the file.
func (d *deadLetters) Close() error { return d.store.Close() }
