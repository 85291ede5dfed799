package lang

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"sort"
	"strings"

	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/lang/expression"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// look is what an expression or template of a node sees of events.
type look struct {
	text  *text
	paths []expression.Path
}

// shape is what a JSON Schema says of the members of a document.
type shape struct {
	members map[string]*shape
	closed  bool // there are no others
}

// shapeCalled reads the schema of the modules in the binary; nil if there is none.
func (l *loader) shapeCalled(name string) *shape {
	folder, file, _ := strings.Cut(name, "/")
	module := l.o.Embedded[folder]
	if module == nil {
		return nil
	}
	if s, known := l.shapes[name]; known {
		return s
	}
	var s *shape
	if raw, err := fs.ReadFile(module, file); err == nil {
		var schema map[string]any
		if json.Unmarshal(raw, &schema) == nil {
			s = newShape(schema, schema, 0)
		}
	}
	if l.shapes == nil {
		l.shapes = map[string]*shape{}
	}
	l.shapes[name] = s
	return s
}

func newShape(root, schema map[string]any, depth int) *shape {
	if ref, is := schema["$ref"].(string); is {
		definitions, _ := root["$defs"].(map[string]any)
		schema, _ = definitions[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
	s := &shape{members: map[string]*shape{}}
	if depth > 20 {
		return s
	}
	s.closed = schema["additionalProperties"] == false
	properties, _ := schema["properties"].(map[string]any)
	for name, p := range properties {
		if inner, is := p.(map[string]any); is {
			s.members[name] = newShape(root, inner, depth+1)
		}
	}
	return s
}

// unlikely is the path that names most likely means, "" if it may be right.
func (s *shape) unlikely(names []string) (better string) {
	for i, name := range names {
		next := s.members[name]
		if next != nil {
			s = next
			continue
		}
		if near := s.near(name); near != "" {
			return strings.Join(append(append([]string(nil), names[:i]...), append([]string{near}, names[i+1:]...)...), ".")
		}
		return ""
	}
	return ""
}

// near is a member that differs from name in case or, if it is long enough to
// tell, by one edit, a swap of two letters being one. A number at the end is
// no misspelling: who decodes srcip and srcip2 means both.
func (s *shape) near(name string) string {
	known := make([]string, 0, len(s.members))
	for m := range s.members {
		known = append(known, m)
	}
	sort.Strings(known)
	for _, m := range known {
		if strings.EqualFold(m, name) {
			return m
		}
	}
	for _, m := range known {
		if len(m) > 3 && strings.TrimRight(name, "0123456789") != m && edits(strings.ToLower(m), strings.ToLower(name)) == 1 {
			return m
		}
	}
	return ""
}

// warnOfPaths looks for paths that no event of a known shape has.
func (l *loader) warnOfPaths() {
	events, origins := map[*node]*shape{}, map[*node]*shape{}
	for _, n := range l.inOrder() {
		if n.Type == plan.Source {
			if n.Spec != nil && n.Spec.Shape != nil && !n.bad {
				s := l.shapeCalled(n.Spec.Shape(n.config.cfg))
				events[n], origins[n] = s, s
			}
			continue
		}
		before, origin := l.common(n, events, true), l.common(n, origins, false)
		origins[n] = origin
		if n.Type == plan.Filter {
			events[n] = before
		}
		for _, k := range n.looks {
			for _, p := range k.paths {
				s := before
				if p.Root == expression.Origin {
					s = origin
				}
				if s == nil || p.Root == expression.Meta {
					continue
				}
				if better := s.unlikely(p.Names); better != "" {
					l.warn(diag.UnlikelyPath, k.text.span(p.Start, p.End), fmt.Sprintf("no alert is known to have `%s`", strings.Join(p.Names, ".")), fmt.Sprintf("did you mean `%s`?", better))
				}
			}
		}
	}
}

// common is the shape that all inputs of n have; with unchanged, as they come
// out of sources and filters only.
func (l *loader) common(n *node, shapes map[*node]*shape, unchanged bool) *shape {
	var s *shape
	for i, e := range n.inputs {
		if unchanged && e.output != plan.Events && e.output != plan.Rejected {
			return nil
		}
		if i > 0 && shapes[e.from] != s {
			return nil
		}
		s = shapes[e.from]
	}
	return s
}
