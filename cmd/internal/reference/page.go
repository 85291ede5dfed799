// Package reference writes what the reference says of a component: all of it
// comes from the component's Spec, so that the pages can't say anything else
// than the loader does.
package reference

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/wazuh-etl/etl/runtime/component"
)

// Page writes the Markdown page of s: a sink's begins with what delivered
// means there, since that is what an operator must know first.
func Page(w io.Writer, s *component.Spec) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s %q\n\n", s.Role, s.Kind)
	if s.Guarantee != "" {
		paragraph(&b, s.Guarantee)
	}
	paragraph(&b, strings.TrimRight(s.Summary, ".")+".")
	paragraph(&b, s.Doc)
	if s.Example != "" {
		fmt.Fprintf(&b, "## Example\n\n```hcl\n%s\n```\n\n", strings.TrimSpace(s.Example))
	}
	b.WriteString("## Attributes\n\n")
	if len(s.Attrs) == 0 {
		b.WriteString("None of its own.\n\n")
	} else {
		attributes(&b, s.Attrs)
	}
	if len(s.Connection) > 0 {
		fmt.Fprintf(&b, "`connection = connection.%s.NAME` gives, instead of the %s, %s: see [connection](common.md#connection-what-components-of-a-kind-share).\n\n",
			s.Kind, s.Role, codes(s.Connection))
	}
	fmt.Fprintf(&b, "Those that every %s has are on the page [common](common.md).\n\n", s.Role)
	for _, block := range s.Blocks {
		fmt.Fprintf(&b, "## Block `%s`\n\n", block.Name)
		paragraph(&b, block.Doc)
		if len(block.Attrs) > 0 {
			attributes(&b, block.Attrs)
		}
	}
	outputs(&b, s)
	_, err := io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n")
	return err
}

// codes are names as they are written, in one line.
func codes(names []string) string { return "`" + strings.Join(names, "`, `") + "`" }

// Name is the name of s's page, without a suffix.
func Name(s *component.Spec) string { return string(s.Role) + "-" + s.Kind }

// Title is how a pipeline writes s, without its name: sink "kafka".
func Title(s *component.Spec) string { return fmt.Sprintf("%s %q", s.Role, s.Kind) }

// Sorted is specs in the order of the index: by role as events flow, then by kind.
func Sorted(specs []*component.Spec) []*component.Spec {
	roles := []component.Role{component.RoleSource, component.RoleTransform, component.RoleSink}
	sorted := slices.Clone(specs)
	slices.SortFunc(sorted, func(a, b *component.Spec) int {
		if d := slices.Index(roles, a.Role) - slices.Index(roles, b.Role); d != 0 {
			return d
		}
		return strings.Compare(a.Kind, b.Kind)
	})
	return sorted
}

func paragraph(b *strings.Builder, text string) {
	if text = strings.TrimSpace(text); text != "" {
		b.WriteString(text + "\n\n")
	}
}

func attributes(b *strings.Builder, attrs []component.Attr) {
	b.WriteString("| attribute | type | default | meaning |\n| --- | --- | --- | --- |\n")
	for _, a := range attrs {
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", a.Name, typeName(a), defaultCell(a), cell(meaning(a)))
	}
	b.WriteString("\n")
}

func defaultCell(a component.Attr) string {
	value := Default(a)
	switch {
	case a.Required:
		return "*required*"
	case value != "":
		return "`" + cell(value) + "`"
	}
	return ""
}

// meaning is an attribute's text, with what its other fields say.
func meaning(a component.Attr) string {
	parts := []string{strings.TrimSpace(a.Doc)}
	if a.Type == component.TypeEnum {
		values := make([]string, len(a.Enum))
		for i, v := range a.Enum {
			values[i] = "`\"" + v + "\"`"
		}
		if len(values) == 1 {
			parts = append(parts, "Possible: "+values[0]+".")
		} else {
			parts = append(parts, "One of "+strings.Join(values, ", ")+".")
		}
	}
	if a.Address {
		parts = append(parts, "nil in a hole is the event's error.")
	}
	if a.Secret {
		parts = append(parts, "Never shown.")
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

func typeName(a component.Attr) string {
	switch a.Type {
	case component.TypeTemplate:
		return "template, *per event*"
	case component.TypeTemplates:
		return "object of templates, *per event*"
	case component.TypePayload:
		return "template or object of templates, *per event*"
	case component.TypeStrings:
		return "list of strings"
	case component.TypeReadPath:
		return "path, read"
	case component.TypeWritePath:
		return "path, written"
	case component.TypeEnum:
		return "string"
	default:
		return string(a.Type)
	}
}

// cell is text for one cell of a table.
func cell(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	return strings.ReplaceAll(text, "|", `\|`)
}

// outputs writes what events at the component's outputs carry.
func outputs(b *strings.Builder, s *component.Spec) {
	b.WriteString("## Outputs\n\n")
	address := fmt.Sprintf("%s.%s.NAME", s.Role, s.Kind)
	if s.Role == component.RoleSink {
		fmt.Fprintf(b, "- `%s.delivered`: each event that the target has taken, as it entered, with `meta.sink`\n", address)
	} else {
		fmt.Fprintf(b, "- `%s`: its events\n", address)
	}
	fmt.Fprintf(b, "- `%s.errors`: each event that failed here by its own fault, as it entered, with `meta.error`\n\n", address)
	if len(s.Outputs) == 0 {
		return
	}
	if s.Role == component.RoleSink {
		b.WriteString("Members of `meta.sink` beside `address`, `time` and `payload`:\n\n")
	}
	for _, line := range s.Outputs {
		name, text, _ := strings.Cut(line, ":")
		fmt.Fprintf(b, "- `%s`: %s\n", strings.TrimSpace(name), strings.TrimSpace(text))
	}
}
