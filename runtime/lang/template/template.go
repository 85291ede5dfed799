// Package template is text with {{ expr }} holes, filled in for each event.
package template

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/lang/expression"
)

// Options say where the text will stand.
type Options struct {
	Env   expression.Env
	Place component.Place
	// Address says that nil in a hole is the event's error.
	Address bool
}

// Compile makes the template that src spells. The offsets of problems are
// bytes of src. The template is nil if a problem is an error. A hole that
// reads a variable without value is no problem: it shows the variable's name.
func Compile(src string, o Options) (component.Template, []expression.Problem) {
	pieces, problems := cut(src)
	t := &text{place: o.Place, address: o.Address}
	for _, p := range pieces {
		if !p.hole {
			t.parts = append(t.parts, part{text: p.text})
			continue
		}
		hole, found := t.hole(p, o.Env)
		t.parts = append(t.parts, hole)
		problems = append(problems, found...)
	}
	if w, ok := looksLikePath(src, o.Place); ok {
		problems = append(problems, w)
	}
	if expression.Failed(problems) {
		return nil, problems
	}
	made, err := t.finish()
	if err != nil {
		return nil, append(problems, expression.Problem{End: len(src), Cause: expression.Form, Message: err.Error()})
	}
	return made, problems
}

// hole compiles what stands in a hole.
func (t *text) hole(p piece, env expression.Env) (part, []expression.Problem) {
	program, problems := expression.Compile(p.text, env)
	problems, missing := withoutUnknown(problems)
	for i := range problems {
		problems[i].Start += p.start
		problems[i].End += p.start
	}
	if missing != "" {
		return part{text: "(var." + missing + " has no value)"}, problems
	}
	hole := part{program: program, start: p.start}
	if program == nil {
		return hole, problems
	}
	if v, known := program.Constant(); known && v.IsNil() && t.address {
		problems = append(problems, expression.Problem{Start: p.start, End: p.start + len(p.text), Cause: expression.Form, Message: hole.missing().Error()})
	}
	return hole, problems
}

// finish is t, or the constant that it is.
func (t *text) finish() (component.Template, error) {
	whole := len(t.parts) == 1 && t.parts[0].program != nil && t.place == component.PlaceText
	for _, p := range t.parts {
		if p.program == nil {
			continue
		}
		if v, known := p.program.Constant(); !known {
			if whole {
				return single{t}, nil
			}
			return t, nil
		} else if whole {
			return Constant(v), nil
		}
	}
	if len(t.parts) == 0 {
		return Constant(document.NewText("")), nil
	}
	v, err := t.Value(nil)
	return Constant(v), err
}

// withoutUnknown are the problems but those of variables without value, and
// the first of these variables.
func withoutUnknown(problems []expression.Problem) (rest []expression.Problem, variable string) {
	for _, p := range problems {
		if p.Unknown == "" {
			rest = append(rest, p)
		} else if variable == "" {
			variable = p.Unknown
		}
	}
	return rest, variable
}

var path = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]*)(\.[A-Za-z_][A-Za-z0-9_]*)+$`)

// members are the top-level members of Wazuh's alerts.
var members = strings.Fields("rule agent manager cluster predecoder decoder data syscheck input previous_output")

// looksLikePath warns of a text that reads like a member somebody forgot the
// braces of. Dots are common in topics, subjects and file names, so there only
// the reserved names count.
func looksLikePath(src string, place component.Place) (expression.Problem, bool) {
	m := path.FindStringSubmatch(src)
	if m == nil {
		return expression.Problem{}, false
	}
	names := []string{"event", "origin", "meta"}
	switch place {
	case component.PlaceTopic, component.PlaceSubject, component.PlacePath:
	default:
		names = append(names, members...)
	}
	for _, name := range names {
		if m[1] == name {
			return expression.Problem{
				End: len(src), Warning: true, Cause: expression.PlainText,
				Message:    fmt.Sprintf("this is the text %q, the same for every event", src),
				Suggestion: fmt.Sprintf("write {{ %s }} for the member", src),
			}, true
		}
	}
	return expression.Problem{}, false
}
