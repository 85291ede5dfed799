package kafka

import (
	"slices"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
)

// A source that was renamed has its checkpoint under a name that it had before, until the next
// commit moves it. What it gave under that name may still be on its way, between what it gives again.

// names are all that source has had, what it is called now first; nil if it was never renamed.
func (o *once) names(source string) []string {
	if ask := o.sink.host.Names; ask != nil {
		return ask(source)
	}
	return nil
}

// source is what the source of e is called now.
func (o *once) source(e *event.Event) string {
	if names := o.names(e.Stream().Source); len(names) > 0 {
		return names[0]
	}
	return e.Stream().Source
}

// progressOf is how far the source is, nil if nothing of it is committed.
func (o *once) progressOf(source string) *progress {
	for _, name := range o.names(source) {
		if p := o.progress[name]; p != nil {
			return p
		}
	}
	return o.progress[source]
}

// former are the names under which there are checkpoints of source besides that which it has now.
func (o *once) former(source string) (former []string) {
	for _, name := range o.names(source) {
		if name != source && o.progress[name] != nil {
			former = append(former, name)
		}
	}
	return former
}

// together is how many of messages may go into one transaction: all, but where one was renamed only up to
// the first event that comes again, which is known to be committed behind that.
func (o *once) together(messages []*component.Message) int {
	if !slices.ContainsFunc(messages, func(m *component.Message) bool { return o.source(m.Event) != m.Event.Stream().Source }) {
		return len(messages)
	}
	seen := map[refused]bool{}
	for i, m := range messages {
		if seen[refusedOf(m.Event)] {
			return i
		}
		seen[refusedOf(m.Event)] = !m.Event.Stream().Replayed
	}
	return len(messages)
}
