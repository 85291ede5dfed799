package shipped

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Variable is one that a pipeline does not run without.
type Variable struct {
	Name        string
	Description string
}

// Required are the variables without default in the text of a pipeline file,
// in its order.
func Required(text []byte) ([]Variable, error) {
	file, problems := hclsyntax.ParseConfig(text, "", hcl.InitialPos)
	if problems.HasErrors() {
		return nil, fmt.Errorf("reading a shipped pipeline: %w", problems)
	}
	var required []Variable
	for _, b := range file.Body.(*hclsyntax.Body).Blocks {
		if b.Type != "variable" || len(b.Labels) != 1 || b.Body.Attributes["default"] != nil {
			continue
		}
		v := Variable{Name: b.Labels[0]}
		if a := b.Body.Attributes["description"]; a != nil {
			if text, problems := a.Expr.Value(nil); !problems.HasErrors() {
				v.Description = text.AsString()
			}
		}
		required = append(required, v)
	}
	return required, nil
}
