package service

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/wazuh-etl/etl/cmd/internal/view"
	"github.com/wazuh-etl/etl/runtime/component"
)

// reasonsTold is how many reasons a dry run tells at its end.
const reasonsTold = 5

// dryDeadLetters is the double of the built-in dead letters, which are no sink
// of the pipeline: it counts what they would keep, and why.
type dryDeadLetters struct {
	mu      sync.Mutex
	total   int
	reasons map[reasonKey]*reason
}

type reasonKey struct{ component, code string }

// reason is why events failed, in the words of the first of them.
type reason struct {
	reasonKey
	message string
	count   int
}

func (d *dryDeadLetters) Encode(*component.Message) error             { return nil }
func (d *dryDeadLetters) Open(context.Context, *component.Host) error { return nil }
func (d *dryDeadLetters) Close() error                                { return nil }

func (d *dryDeadLetters) Deliver(_ context.Context, messages []*component.Message) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range messages {
		d.total++
		if f := m.Event.Failure(); f != nil { // none for what a sink had that a reload removed
			d.add(reasonKey{f.Component, f.Code}, f.Message)
		}
		m.Done()
	}
	return nil
}

func (d *dryDeadLetters) add(key reasonKey, message string) {
	r := d.reasons[key]
	if r == nil {
		r = &reason{reasonKey: key, message: message}
		if d.reasons == nil {
			d.reasons = map[reasonKey]*reason{}
		}
		d.reasons[key] = r
	}
	r.count++
}

// tell writes how many events failed, and the commonest reasons; nothing where
// none did.
func (d *dryDeadLetters) tell(w io.Writer) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.total == 0 {
		return nil
	}
	events := "events"
	if d.total == 1 {
		events = "event"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s failed and would be in the dead letters\n", d.total, events)
	var all []*reason
	for _, r := range d.reasons {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *reason) int {
		return cmp.Or(b.count-a.count, strings.Compare(a.component, b.component), strings.Compare(a.code, b.code))
	})
	for _, r := range all[:min(reasonsTold, len(all))] {
		fmt.Fprintf(&b, "  %d of %s, %s: %s\n", r.count, r.component, r.code, view.Visible(r.message))
	}
	if more := len(all) - reasonsTold; more > 0 {
		fmt.Fprintf(&b, "  and %d more reasons\n", more)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
