package lang

import (
	"fmt"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// node is a component as it is declared, on the way to a plan.Node.
type node struct {
	*plan.Node
	block  *hclsyntax.Block
	name   hcl.Range // its last label
	hollow bool      // its block could not be read: only the name is known
	bad    bool      // something in the block is wrong
	off    bool      // enabled = false

	inputs    []edge
	allErrors *hcl.Range // of the bare `errors` in from

	// Of a source with for_each:
	repeated  bool    // it has one, and so keys
	instances []*node // what it made, in order
	anyKey    bool    // what it made can't be told: any key may be one
	// Of one that for_each made, and of what stands for them:
	group *node // the block's own
	each  *each

	config *decoding
	looks  []look // of its expressions and templates
	absent bool   // not in the plan
}

// edge is one reference in a node's from.
type edge struct {
	from   *node
	output string
	at     hcl.Range
}

func (l *loader) declareNode(b *hclsyntax.Block, t plan.Type, kind, name string, at hcl.Range) {
	if !l.checkName(name, at) {
		l.incomplete = true
		return
	}
	address := string(t) + "." + kind + "." + name
	if t == plan.Filter {
		address = "filter." + name
	}
	n := &node{
		Node:  &plan.Node{Address: address, Type: t, Kind: kind, Name: name, Range: l.at(b.DefRange()), Required: true},
		block: b, name: at,
	}
	if t != plan.Filter {
		spec, kinds := l.spec(component.Role(t), kind)
		if n.Spec = spec; spec == nil {
			l.fail(diag.UnknownKind, b.LabelRanges[0], fmt.Sprintf("there is no %s `%s`", t, kind), didYouMean(kind, kinds))
			n.hollow, l.dangling = true, true
		}
	}
	if before := l.nodes[address]; before != nil {
		l.dangling = true
		if !before.hollow {
			l.duplicate(at, address, before.name)
		}
		return
	}
	l.nodes[address] = n
	if !n.hollow {
		l.order = append(l.order, n)
	}
}

// decodeNode decodes the block of n.
func (l *loader) decodeNode(n *node) {
	body, connected := l.connected(n)
	d := &decoding{
		l: l, what: n.written(), print: newFingerprint(), ok: true, looks: &n.looks,
		cfg: &component.Config{Address: n.Address, Role: component.Role(n.Type), Pipeline: l.plan.Name, Dir: l.plan.Dir, State: l.plan.State},
	}
	n.config = d
	l.each = n.each
	defer func() { l.each = nil }()
	if a := body.Attributes["enabled"]; a != nil {
		if v, ok := l.evaluate(a.Expr); ok {
			if v, _ := v.UnmarkDeep(); v.IsKnown() && !v.IsNull() {
				if on, err := d.scalar(component.Attr{Type: component.TypeBool}, v); err == nil {
					n.off = n.off || !on.(bool)
				}
			}
		}
	}
	d.lenient = n.off || !connected
	attrs, blocks := CommonAttrs(n.Type), CommonBlocks(n.Type)
	if n.Spec != nil {
		attrs = withOwn(n.Spec.Attrs, attrs, func(a component.Attr) string { return a.Name })
		blocks = withOwn(n.Spec.Blocks, blocks, func(b component.BlockSpec) string { return b.Name })
	}
	skip := []string{"from"}
	switch n.Type {
	case plan.Source:
		skip = []string{"for_each"}
		if a := body.Attributes["from"]; a != nil {
			d.fail(diag.NotYet, a.NameRange, "`from` on a source is not yet available", "a source reads the outside only")
			skip = append(skip, "from")
		}
	case plan.Filter:
		skip = []string{"from", "where"}
	}
	if n.Spec != nil && len(n.Spec.Connection) > 0 {
		skip = append(skip, "connection")
	}
	d.block(body, n.block.DefRange(), attrs, blocks, skip...)
	if n.Type == plan.Filter {
		l.decodeWhere(n)
	}
	if n.Type != plan.Source {
		l.decodeFrom(n)
	}
	l.decodeCommon(n)
	n.Settings = d.print.sum()
	d.print.add("address", n.Address)
	n.bad = n.bad || !d.ok || !connected
}

// withOwn are a component's own attributes, and the common ones that it does
// not describe itself.
func withOwn[T any](own, common []T, name func(T) string) []T {
	all := append([]T(nil), own...)
	for _, c := range common {
		described := false
		for _, o := range own {
			described = described || name(o) == name(c)
		}
		if !described {
			all = append(all, c)
		}
	}
	return all
}

func (l *loader) decodeWhere(n *node) {
	a := n.block.Body.Attributes["where"]
	if a == nil {
		l.fail(diag.MissingAttribute, n.block.DefRange(), n.Address+" has no `where`", `write where = "…"`)
		n.bad = true
		return
	}
	c, t, ok := l.condition(a.Expr)
	if n.bad = !ok; t != nil {
		n.looks = append(n.looks, look{t, reads(c)})
		n.config.addExpression("where", t.value)
	}
	if n.Where = c; ok && t == nil && l.o.Mode != Graph {
		l.fail(diag.MissingAttribute, a.NameRange, "the `where` of "+n.Address+" is null", `write where = "…"`)
	}
}

// decodeCommon takes what the runtime itself needs out of the configuration.
func (l *loader) decodeCommon(n *node) {
	c := n.config.cfg
	n.Config, n.Disabled = c, n.off
	n.Description = c.String("description")
	n.DropErrors = c.String("errors") == "drop"
	n.Queue, n.Retry = l.queue(n), defaultRetry
	own := func(name string) bool { // not if the component means something else by the name
		if n.Spec != nil {
			for _, a := range n.Spec.Attrs {
				if a.Name == name {
					return false
				}
			}
		}
		return true
	}
	switch n.Type {
	case plan.Source:
		if own("id") {
			n.ID = c.Template("id")
		}
	case plan.Sink:
		if own("payload") {
			n.Payload = c.Template("payload")
		}
		if own("required") {
			n.Required = boolOr(c, "required", true)
		}
		if b := c.Block("retry"); b != nil {
			n.Retry = plan.Retry{Min: durationOr(b, "min", defaultRetry.Min), Max: durationOr(b, "max", defaultRetry.Max)}
			if n.Retry.Min > n.Retry.Max {
				at := b.Ranges["min"]
				if !b.Has("min") {
					at = b.Ranges["max"]
				}
				l.report(diag.Diagnostic{Code: diag.OutOfRange, Range: at, Message: fmt.Sprintf("`min` of retry (%s) is longer than `max` (%s)", n.Retry.Min, n.Retry.Max)})
			}
		}
	}
}

// queue is the queue of n: its own block over the one at the top level.
func (l *loader) queue(n *node) plan.Queue {
	q := l.queues
	if n.Type != plan.Source && n.Type != plan.Sink {
		return q
	}
	b := n.config.cfg.Block("queue")
	if b == nil {
		return q
	}
	q = l.overlay(q, b)
	if b.String("storage") == "disk" {
		if q.Disk = true; !b.Has("max_bytes") {
			q.MaxBytes = defaultDiskBytes
		}
		if n.Type == plan.Sink {
			l.refuseDisk(b, "a sink has no queue on disk: what a source that can be read again still has, it needs no queue for, and any other source can have one", `write queue { storage = "disk" } in the source that can't be read again`)
		}
	}
	return q
}

func (l *loader) refuseDisk(b *component.Config, message, suggestion string) {
	l.report(diag.Diagnostic{Code: diag.InvalidValue, Range: b.Ranges["storage"], Message: message, Suggestion: suggestion})
}

// checkDisk refuses a queue on disk behind a source that is its own log.
func (l *loader) checkDisk(n *node) {
	if n.Type == plan.Source && n.Queue.Disk && readsAgain(n.Source) {
		l.refuseDisk(n.config.cfg.Block("queue"), n.written()+" needs no queue on disk: it can be read again, and each sink has its own place in it", "leave out `storage`")
	}
}

func (l *loader) overlay(q plan.Queue, b *component.Config) plan.Queue {
	if b.Has("max_events") {
		q.MaxEvents = b.Count("max_events")
	}
	if b.Has("max_bytes") {
		q.MaxBytes = b.Size("max_bytes")
	}
	if b.Has("when_full") {
		q.WhenFull = plan.WhenFull(b.String("when_full"))
	}
	return q
}

// decodeRuntime decodes the blocks about the whole pipeline.
func (l *loader) decodeRuntime() {
	top := func(b *hclsyntax.Block, spec component.BlockSpec) *component.Config {
		d := &decoding{l: l, what: "`" + spec.Name + "`", print: newFingerprint(), ok: true, looks: new([]look), cfg: &component.Config{Dir: l.plan.Dir}}
		d.block(b.Body, b.DefRange(), spec.Attrs, nil)
		return d.cfg
	}
	l.plan.Runtime = defaultRuntime
	if l.runtime != nil {
		c, r := top(l.runtime, RuntimeBlock), &l.plan.Runtime
		r.Workers, r.Memory = c.Count("workers"), c.Size("memory")
		r.TemporaryState = c.String("state") == "temporary"
		r.ShutdownTimeout = durationOr(c, "shutdown_timeout", r.ShutdownTimeout)
		r.DrainTimeout = durationOr(c, "drain_timeout", r.DrainTimeout)
		r.StatsInterval = durationOr(c, "stats_interval", r.StatsInterval)
		if c.Has("name") {
			l.plan.Name = c.String("name")
		}
	}
	l.plan.State = filepath.Join(l.o.StateDir, l.plan.Name)
	if l.queues = defaultQueue; l.defaults != nil {
		b := top(l.defaults, QueueBlock)
		l.queues = l.overlay(defaultQueue, b)
		if b.String("storage") == "disk" {
			l.refuseDisk(b, "the default of all queues can't be on disk", `write queue { storage = "disk" } in the sources that can't be read again`)
		}
	}
}
