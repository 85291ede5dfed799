package lang

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/plan"
)

var mockAttrs = []string{"error", "set", "event"}

// decodeMock reads one mock block; mocked are those before it.
func (l *loader) decodeMock(t *plan.Test, b *hclsyntax.Block, n *node, output string, mocked map[*node]hcl.Range) {
	l.only(b, mockAttrs...)
	m := plan.Mock{Range: l.at(b.DefRange())}
	if n != nil {
		m.Address = n.Address
		l.checkMocked(b, n, output, mocked)
	}
	given := 0
	for _, a := range attributes(b.Body) {
		given++ // what there is not, too: that is said
		switch a.Name {
		case "error":
			m.Error, _ = l.testText(a.Expr)
		case "set":
			m.Set = l.testTemplates(a)
			if n != nil && n.Type == plan.Source {
				l.fail(diag.TestShape, a.NameRange, "a source has no event yet that something could be set in", "write event = { … }")
			}
		case "event":
			m.Events = l.testEvents(a.Expr)
			if n != nil && n.Type == plan.Sink {
				l.fail(diag.TestShape, a.NameRange, "a sink makes no events of its own", "write set = { … }: what the target says, in meta.sink")
			}
		}
	}
	if given != 1 {
		l.fail(diag.TestShape, b.DefRange(), "mock has one of `error`, `set` and `event`", "")
	}
	t.Mocks = append(t.Mocks, m)
}

// checkMocked says what can't be mocked, or not here.
func (l *loader) checkMocked(b *hclsyntax.Block, n *node, output string, mocked map[*node]hcl.Range) {
	at := b.LabelRanges[0]
	before, twice := mocked[n]
	for _, one := range n.all() {
		if at, is := mocked[one]; is {
			before, twice = at, true
		}
		mocked[one] = at
	}
	switch mocked[n] = at; {
	case output != plan.Events:
		l.fail(diag.TestShape, at, "mock stands for a component, not for one of its outputs", "write "+n.Address)
	case n.Type == plan.Filter:
		l.fail(diag.TestShape, at, "a filter asks nobody: there is nothing to mock", "give it events that its where is true for, or false")
	case n.off && l.o.Mode == Test:
		l.fail(diag.TestShape, at, n.Address+" is disabled here, and asks nobody", "vars = { … } of the test can switch it on")
	case twice:
		l.fail(diag.DuplicateName, at, fmt.Sprintf("there is already a mock of %s", n.Address), "the first is at "+l.at(before).String())
	}
}

// testTemplates are the per-event values in a test. What has no value is only
// a mistake where the test is to be run.
func (l *loader) testTemplates(a *hclsyntax.Attribute) []component.NamedTemplate {
	mode := l.o.Mode
	if mode != Test {
		l.o.Mode = Graph
	}
	defer func() { l.o.Mode = mode }()
	d := &decoding{l: l, what: "`mock`", print: newFingerprint(), ok: true, looks: new([]look), cfg: &component.Config{Unknown: map[string]bool{}}}
	set, _ := d.templates(component.Attr{Name: a.Name, Type: component.TypeTemplates}, a.Expr)
	list, _ := set.([]component.NamedTemplate)
	return list
}
