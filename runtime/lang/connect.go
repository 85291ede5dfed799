package lang

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/plan"
)

func sorted(names []string) []string {
	sort.Strings(names)
	return names
}

// connect makes the graph of the references, and checks it as it is written:
// what is disabled counts, so that switching something off never makes an error.
func (l *loader) connect() {
	l.expandErrors()
	cyclic := l.findCycles()
	l.findAbsent()
	if l.incomplete || l.dangling || cyclic {
		return
	}
	readers, heard := map[*node]int{}, map[*node]int{}
	for _, n := range l.order {
		for _, e := range n.inputs {
			heard[e.from]++
			if e.output == plan.Events || e.output == plan.Rejected {
				readers[e.from]++
			}
		}
	}
	sources, sinks := 0, 0
	reached := l.reached()
	for _, n := range l.order {
		switch n.Type {
		case plan.Source:
			sources++
			if readers[n] == 0 {
				unread := n.Address
				if n.group != nil && !slices.ContainsFunc(n.group.instances, func(o *node) bool { return readers[o] > 0 }) {
					unread = n.group.Address
				}
				l.fail(diag.UnreadSource, n.block.DefRange(), "nobody reads "+unread, "write from = "+unread+" somewhere, or enabled = false and a reader")
			}
		case plan.Sink:
			sinks++
			if !reached[n] {
				l.fail(diag.UnreachedSink, n.block.DefRange(), "nothing reaches "+n.Address+": nobody has an output that it reads", "")
			}
		default:
			if heard[n] == 0 && l.o.Mode != Test {
				l.warn(diag.UnreadNode, n.Range, "nobody reads "+n.Address+": what it does is lost", "")
			}
		}
	}
	whole := diag.Range{File: l.shownName()}
	if sources == 0 && len(l.nodes) == 0 {
		l.report(diag.Diagnostic{Code: diag.NoSource, Range: whole, Message: "there is no source: nothing would be read", Suggestion: `begin with source "file" "alerts" { path = "…" }`})
	} else if sinks == 0 {
		l.warn(diag.NoSink, whole, "there is no sink: nothing would be delivered", `sink "stdout" "out" { from = … } shows what comes out`)
	}
}

func (l *loader) shownName() string {
	for _, n := range l.order {
		return n.Range.File
	}
	for _, name := range sortedKeys(l.files) {
		return name
	}
	return l.shown
}

// expandErrors makes each bare `errors` the errors of every component, but for
// those that read it and what is behind them: no listener hears itself.
func (l *loader) expandErrors() {
	behind := map[*node]bool{}
	var follow func(n *node)
	readers := map[*node][]*node{}
	for _, n := range l.order {
		for _, e := range n.inputs {
			readers[e.from] = append(readers[e.from], n)
		}
	}
	follow = func(n *node) {
		if !behind[n] {
			behind[n] = true
			for _, r := range readers[n] {
				follow(r)
			}
		}
	}
	for _, n := range l.order {
		if n.allErrors != nil {
			follow(n)
		}
	}
	for _, n := range l.order {
		if n.allErrors == nil {
			continue
		}
		have := map[*node]bool{}
		for _, e := range n.inputs {
			have[e.from] = have[e.from] || e.output == plan.Errors
		}
		for _, from := range l.order {
			if !behind[from] && !from.DropErrors && !have[from] {
				n.inputs = append(n.inputs, edge{from, plan.Errors, *n.allErrors})
			}
		}
	}
}

// findCycles reports each circle of components once.
func (l *loader) findCycles() bool {
	const (
		fresh = iota
		open
		closed
	)
	state := map[*node]int{}
	var path []*node
	found := false
	var visit func(n *node)
	visit = func(n *node) {
		state[n] = open
		path = append(path, n)
		for _, e := range n.inputs {
			switch state[e.from] {
			case fresh:
				visit(e.from)
			case open:
				found = true
				l.fail(diag.Cycle, e.at, "these feed each other in a circle: "+circle(path, e.from), "")
			}
		}
		path = path[:len(path)-1]
		state[n] = closed
	}
	for _, n := range l.order {
		if state[n] == fresh {
			visit(n)
		}
	}
	return found
}

// circle is the end of path from n on, in the direction events flow.
func circle(path []*node, n *node) string {
	names := []string{n.Address}
	for i := len(path) - 1; i >= 0; i-- {
		names = append(names, path[i].Address)
		if path[i] == n {
			break
		}
	}
	return strings.Join(names, " -> ")
}

// reached are the nodes that events of a source can come to.
func (l *loader) reached() map[*node]bool {
	reached := map[*node]bool{}
	for changed := true; changed; {
		changed = false
		for _, n := range l.order {
			if reached[n] {
				continue
			}
			yes := n.Type == plan.Source
			for _, e := range n.inputs {
				yes = yes || reached[e.from] || e.from.hollow
			}
			if yes {
				reached[n], changed = true, true
			}
		}
	}
	return reached
}

// findAbsent finds what is not in the plan: disabled sources and sinks, and
// whoever reads only what is not there.
func (l *loader) findAbsent() {
	for changed := true; changed; {
		changed = false
		for _, n := range l.order {
			if n.absent {
				continue
			}
			gone := n.off && (n.Type == plan.Source || n.Type == plan.Sink)
			if n.Type != plan.Source && !n.bad {
				fed := false
				for _, e := range n.inputs {
					fed = fed || !e.from.absent
				}
				gone = gone || !fed
			}
			if gone {
				n.absent, changed = true, true
			}
		}
	}
}

// inOrder are the nodes of the plan, inputs before those who read them, else as written.
func (l *loader) inOrder() []*node {
	var out []*node
	placed := map[*node]bool{}
	var place func(n *node)
	place = func(n *node) {
		if placed[n] || n.absent {
			return
		}
		placed[n] = true
		for _, e := range n.inputs {
			place(e.from)
		}
		out = append(out, n)
	}
	for _, n := range l.order {
		place(n)
	}
	return out
}

// assemble makes the plan of the nodes.
func (l *loader) assemble() {
	for _, n := range l.inOrder() {
		for _, e := range n.inputs {
			if !e.from.absent {
				n.Inputs = append(n.Inputs, plan.Port{Node: e.from.Node, Output: e.output})
			}
		}
		l.fingerprint(n)
		l.plan.Nodes = append(l.plan.Nodes, n.Node)
	}
	l.warnOfBlocking()
	l.checkExactlyOnce()
}

// fingerprint adds what the block itself doesn't show.
func (l *loader) fingerprint(n *node) {
	p := n.config.print
	p.add("disabled", n.Disabled)
	if n.Type == plan.Source || n.Type == plan.Sink {
		p.add("queue", n.Queue)
		p.add("retry", n.Retry)
	}
	if n.Connection != nil {
		p.add(n.Connection.Address, n.Connection.Fingerprint)
	}
	n.Fingerprint = p.sum()
}

// warnOfBlocking says which source stands still, for all sinks, when one of
// several sinks does.
func (l *loader) warnOfBlocking() {
	for _, n := range l.plan.Nodes {
		if n.Type != plan.Source || n.Source == nil || n.Queue.Disk || readsAgain(n.Source) {
			continue
		}
		behind := map[*plan.Node]bool{n: true}
		for _, m := range l.plan.Nodes { // inputs come first
			for _, p := range m.Inputs {
				behind[m] = behind[m] || behind[p.Node]
			}
		}
		var blocking []string
		for _, sink := range l.plan.Nodes {
			if sink.Type == plan.Sink && sink.Queue.WhenFull == plan.Block && behind[sink] {
				blocking = append(blocking, sink.Address)
			}
		}
		if len(blocking) > 1 {
			l.warn(diag.BlockingQueue, n.Range,
				fmt.Sprintf("%s can't be read again: when the queue of one of %s is full, all of them wait", n.Written(), strings.Join(blocking, ", ")),
				`queue { when_full = "drop_oldest" } on a sink lets the others go on`)
		}
	}
}
