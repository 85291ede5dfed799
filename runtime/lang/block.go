package lang

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/plan"
)

var blockTypes = []string{"variable", "locals", "connection", "source", "filter", "transform", "sink", "queue", "runtime", "test"}

var notYetBlocks = map[string]string{
	"module":  "a directory of *.hcl is one pipeline",
	"include": "a directory of *.hcl is one pipeline",
	"route":   "write a chain of filters: else is .rejected",
}

// declare takes in what stands at the top level of a file, by name only.
func (l *loader) declare(body *hclsyntax.Body) {
	for _, a := range attributes(body) {
		hint := "values with a name stand in locals { … }"
		if contains(blockTypes, a.Name) {
			hint = fmt.Sprintf("write %s { … }", a.Name)
		}
		l.fail(diag.UnknownAttribute, a.NameRange, fmt.Sprintf("`%s` is an attribute, and the top level holds blocks only", a.Name), hint)
	}
	for _, b := range body.Blocks {
		if l.files[b.TypeRange.Filename].tests && b.Type != "test" {
			l.fail(diag.UnknownBlock, b.DefRange(), fmt.Sprintf("a %s file holds tests only, no `%s`", testSuffix, b.Type), "move it to the pipeline's file")
			continue
		}
		switch b.Type {
		case "variable":
			l.declareVariable(b)
		case "locals":
			if l.checkLabels(b) {
				l.declareLocals(b)
			}
		case "source", "transform", "sink":
			if l.checkHead(b, "KIND", "NAME") {
				l.declareNode(b, plan.Type(b.Type), b.Labels[0], b.Labels[1], b.LabelRanges[1])
			}
		case "connection":
			if l.checkHead(b, "KIND", "NAME") {
				l.declareConnection(b)
			}
		case "filter":
			if l.checkHead(b, "NAME") {
				l.declareNode(b, plan.Filter, "", b.Labels[0], b.LabelRanges[0])
			}
		case "queue":
			l.once(b, &l.defaults)
		case "runtime":
			l.once(b, &l.runtime)
		case "test":
			if l.checkLabels(b, "SENTENCE") {
				l.tests = append(l.tests, b)
			}
		default:
			if hint, is := notYetBlocks[b.Type]; is {
				l.fail(diag.NotYet, b.TypeRange, fmt.Sprintf("`%s` is not yet available", b.Type), hint)
			} else {
				l.fail(diag.UnknownBlock, b.TypeRange, fmt.Sprintf("there is no block `%s`", b.Type), didYouMean(b.Type, blockTypes))
			}
		}
	}
}

// declareBroken keeps the name of a block whose inside can't be read.
func (l *loader) declareBroken(h heading) {
	switch n := len(h.labels); {
	case h.kind == "filter" && n == 1:
		l.nodes["filter."+h.labels[0]] = &node{hollow: true, Node: &plan.Node{Type: plan.Filter, Address: "filter." + h.labels[0]}}
	case (h.kind == "source" || h.kind == "transform" || h.kind == "sink") && n == 2:
		address := h.kind + "." + h.labels[0] + "." + h.labels[1]
		l.nodes[address] = &node{hollow: true, Node: &plan.Node{Type: plan.Type(h.kind), Address: address}}
	case h.kind == "connection" && n == 2:
		address := "connection." + h.labels[0] + "." + h.labels[1]
		l.connections[address] = &connection{address: address, kind: h.labels[0], hollow: true}
	case h.kind == "variable" && n == 1:
		l.vars[h.labels[0]] = &variable{name: h.labels[0], bad: true, value: wrongValue}
		l.varNames = append(l.varNames, h.labels[0])
	case h.kind == "locals" && n == 0:
		for _, name := range h.names {
			l.locals[name] = &local{name: name, state: done, value: wrongValue}
			l.localNames = append(l.localNames, name)
		}
	case n == 0 && (h.kind == "queue" || h.kind == "runtime"), n == 1 && h.kind == "test":
	default:
		l.incomplete = true
	}
	l.dangling = true
}

func (l *loader) once(b *hclsyntax.Block, into **hclsyntax.Block) {
	if !l.checkLabels(b) {
		return
	}
	if *into != nil {
		l.fail(diag.DuplicateBlock, b.TypeRange, fmt.Sprintf("there is a second `%s`", b.Type), "the first is at "+l.at((*into).TypeRange).String())
		return
	}
	*into = b
}

// checkLabels says whether b has as many labels as wanted names.
func (l *loader) checkLabels(b *hclsyntax.Block, wanted ...string) bool {
	if len(b.Labels) == len(wanted) {
		return true
	}
	form := b.Type
	for _, w := range wanted {
		form += fmt.Sprintf(" %q", w)
	}
	counts := []string{"no label", "one label", "two labels"}
	l.fail(diag.BlockLabels, b.DefRange(), fmt.Sprintf("`%s` has %s, not %d", b.Type, counts[len(wanted)], len(b.Labels)), "write "+form+" { … }")
	return false
}

// checkHead is checkLabels for what may be referred to.
func (l *loader) checkHead(b *hclsyntax.Block, wanted ...string) bool {
	ok := l.checkLabels(b, wanted...)
	l.incomplete = l.incomplete || !ok
	return ok
}

var validName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

var takenNames = []string{plan.Errors, plan.Rejected, plan.Delivered}

func (l *loader) checkName(name string, at hcl.Range) bool {
	switch {
	case contains(takenNames, name):
		l.fail(diag.InvalidName, at, fmt.Sprintf("`%s` is the name of an output", name), "choose another name")
	case !validName.MatchString(name):
		hint := "a name has small letters, digits and _, and begins with a letter"
		if better := strings.Map(nameRune, strings.ToLower(name)); validName.MatchString(better) && better != name {
			hint += ": " + better
		}
		l.fail(diag.InvalidName, at, fmt.Sprintf("`%s` is no name", name), hint)
	default:
		return true
	}
	return false
}

func nameRune(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
		return r
	}
	return '_'
}

func (l *loader) duplicate(at hcl.Range, name string, before hcl.Range) {
	l.fail(diag.DuplicateName, at, fmt.Sprintf("there is already a `%s`", name), "the first is at "+l.at(before).String())
}

func (l *loader) refuseBlocks(b *hclsyntax.Block, what string) {
	for _, inner := range b.Body.Blocks {
		l.fail(diag.UnknownBlock, inner.TypeRange, fmt.Sprintf("`%s` holds no blocks", what), "write NAME = VALUE")
	}
}

func (l *loader) unknownAttribute(a *hclsyntax.Attribute, what string, attrs, blocks []string) {
	if contains(blocks, a.Name) {
		l.fail(diag.AttributeIsBlock, a.NameRange, fmt.Sprintf("`%s` of %s is a block, not an attribute", a.Name, what), fmt.Sprintf("write %s { … } without `=`", a.Name))
		return
	}
	if a.Name == "for_each" {
		l.fail(diag.UnknownAttribute, a.NameRange, fmt.Sprintf("%s has no attribute `%s`", what, a.Name), "only sources have it: all of them feed what reads source.KIND.NAME, and meta.source tells them apart")
		return
	}
	l.fail(diag.UnknownAttribute, a.NameRange, fmt.Sprintf("%s has no attribute `%s`", what, a.Name), orElse(nearest(a.Name, blocks), a.Name, attrs))
}

func (l *loader) unknownBlock(b *hclsyntax.Block, what string, blocks, attrs []string) {
	if contains(attrs, b.Type) {
		l.fail(diag.BlockIsAttribute, b.TypeRange, fmt.Sprintf("`%s` of %s is an attribute, not a block", b.Type, what), fmt.Sprintf("write %s = …", b.Type))
		return
	}
	l.fail(diag.UnknownBlock, b.TypeRange, fmt.Sprintf("%s has no block `%s`", what, b.Type), orElse(nearest(b.Type, attrs), b.Type, blocks))
}
