package testing

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// checker holds what happened against what the test expects.
type checker struct {
	*recorder
	result *Result
	update bool
}

func (c *checker) check() {
	for i := range c.test.Expects {
		c.expect(&c.test.Expects[i])
	}
	c.unexpected()
}

func (c *checker) fail(x *plan.Expect, diff, format string, args ...any) {
	c.result.Failures = append(c.result.Failures, Failure{
		Range:   x.Range,
		Message: fmt.Sprintf("%s: ", port(x.Address, x.Output)) + fmt.Sprintf(format, args...),
		Diff:    diff,
	})
}

func port(address, output string) string {
	if output == "" {
		return address
	}
	return address + "." + output
}

func (c *checker) isSink(address string) bool {
	for _, n := range c.plan.Nodes {
		if n.Address == address {
			return n.Type == plan.Sink
		}
	}
	return false
}

// bodies are what is compared at x: the payloads at a sink, the events elsewhere.
func (c *checker) bodies(x *plan.Expect, events []*event.Event) [][]byte {
	sends := x.Output == plan.Events && c.isSink(x.Address)
	out := make([][]byte, len(events))
	for i, e := range events {
		if sends {
			out[i] = e.Delivery().Payload
		} else {
			out[i] = e.AppendJSON(nil)
		}
	}
	return out
}

func (c *checker) expect(x *plan.Expect) {
	events := c.outputs[place{x.Address, x.Output}]
	bodies := c.bodies(x, events)
	switch {
	case x.Count != nil && len(events) != *x.Count:
		c.fail(x, c.whereTheyWent(x, events, bodies), "got %s, want %d", count(len(events)), *x.Count)
		return
	case x.Count == nil && len(events) == 0:
		c.fail(x, c.whereTheyWent(x, events, bodies), "got no event")
		return
	}
	if x.Where != nil {
		for i, e := range events {
			ok, err := x.Where.True(e)
			if err != nil {
				c.fail(x, shown(bodies[i]), "where = %s: %v", quoted(x.Where.String()), err)
			} else if !ok {
				why := strings.Join(append(reasons(x.Where, e), shown(bodies[i]), meta(e)), "\n")
				c.fail(x, why, "where is false for %s: %s", nth(i, len(events)), quoted(x.Where.String()))
			}
		}
	}
	if x.Equals.Kind() != 0 {
		want := x.Equals.AppendJSON(nil)
		for i := range events {
			if !sameJSON(bodies[i], want) {
				c.fail(x, diffText("want", prettyJSON(want), "got", prettyJSON(bodies[i])), "%s is not equal", nth(i, len(events)))
			}
		}
	}
	if x.Golden != "" {
		c.golden(x, bodies)
	}
}

// golden holds bodies against a file, or makes them the file.
func (c *checker) golden(x *plan.Expect, bodies [][]byte) {
	name := filepath.Base(x.Golden)
	want, err := os.ReadFile(x.Golden)
	if err != nil && !(c.update && os.IsNotExist(err)) {
		c.fail(x, "", "reading golden: %v; --update writes it", err)
		return
	}
	got := goldenOf(x.Golden, bodies)
	if err == nil && sameGolden(x.Golden, got, want) {
		return
	}
	if c.update {
		if err := os.WriteFile(x.Golden, got, 0o644); err != nil {
			c.fail(x, "", "writing golden: %v", err)
			return
		}
		c.result.Updated = append(c.result.Updated, x.Golden)
		return
	}
	c.fail(x, diffText(name, readable(x.Golden, want), "got", readable(x.Golden, got)), "differs from %s", name)
}

// unexpected reports events at sinks and unheard errors outputs that the test
// does not mention.
func (c *checker) unexpected() {
	mentioned := map[string]bool{}
	for _, x := range c.test.Expects {
		mentioned[x.Address] = mentioned[x.Address] || x.Output == plan.Events
		mentioned[port(x.Address, x.Output)] = true
	}
	for _, address := range c.test.Ignore {
		mentioned[address] = true
	}
	complain := func(what string, events []*event.Event, bodies [][]byte) {
		var lines []string
		for i, e := range events {
			if f := e.Failure(); f != nil {
				lines = append(lines, "reason: "+f.Message)
			}
			lines = append(lines, shown(bodies[i]))
		}
		c.result.Failures = append(c.result.Failures, Failure{
			Range:   c.test.Range,
			Message: fmt.Sprintf("%s got %s that the test does not mention: expect them, or say ignore = [%q]", what, count(len(events)), what),
			Diff:    strings.Join(lines, "\n"),
		})
	}
	for _, n := range c.plan.Nodes {
		events := c.outputs[place{n.Address, plan.Events}]
		if n.Type == plan.Sink && len(events) > 0 && !mentioned[n.Address] {
			complain(n.Address, events, c.bodies(&plan.Expect{Address: n.Address}, events))
		}
	}
	unheard := map[string][]*event.Event{}
	for _, e := range c.outputs[place{graph.DeadLetters, plan.Events}] {
		unheard[e.Failure().Component] = append(unheard[e.Failure().Component], e)
	}
	for _, n := range c.plan.Nodes {
		what := port(n.Address, plan.Errors)
		if events := unheard[n.Address]; len(events) > 0 && !mentioned[what] && !mentioned[port(n.Group, plan.Errors)] {
			complain(what, events, c.bodies(&plan.Expect{Address: n.Address, Output: plan.Errors}, events))
		}
	}
}

func count(n int) string {
	switch n {
	case 0:
		return "no event"
	case 1:
		return "1 event"
	default:
		return fmt.Sprintf("%d events", n)
	}
}

func nth(i, of int) string {
	if of == 1 {
		return "the event"
	}
	return fmt.Sprintf("event %d of %d", i+1, of)
}

// reasons are the parts of a condition that made it false for e.
func reasons(where plan.Condition, e *event.Event) []string {
	if c, ok := where.(interface{ Why(*event.Event) []string }); ok {
		return c.Why(e)
	}
	return nil
}

func quoted(expr string) string { return strings.Join(strings.Fields(expr), " ") }

// meta is what a where may have asked for beside the body.
func meta(e *event.Event) string {
	return "meta: " + string(bytes.TrimSpace(e.MetaValue().AppendJSON(nil)))
}
