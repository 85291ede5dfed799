package flow

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/document"
)

// Specs are the components of this package.
func Specs() []*component.Spec { return []*component.Spec{mapSpec} }

var mapSpec = &component.Spec{
	Role:    component.RoleTransform,
	Kind:    "map",
	Summary: "Sets, removes and renames members of the event",
	Doc: `Everything is read from the event as it came: templates in ` + "`set`" + ` see members that
` + "`remove`" + ` takes away and know nothing of each other, and two members can swap their names by
` + "`rename`" + `. Then, in this order,

1. what ` + "`remove`" + ` and ` + "`rename`" + ` name goes away,
2. renamed values are put at their new path,
3. the values of ` + "`set`" + ` are put in place, as written: the last word is theirs.

A path is names joined by dots; a name with a dot in it is quoted: ` + "`data.\\\"a.b\\\".c`" + `. What is put
where something is replaces it as a whole, objects too; else it is added at the end. Objects
that are missing on the way are made; anything else on the way is replaced by an object. A path
that is not there is neither removed nor renamed, and that is no error. The new event's id is
the old one's and the address of this transform.`,
	Attrs: []component.Attr{
		{Name: "set", Type: component.TypeTemplates, Doc: "Values by path. A value that is exactly one `{{ expr }}` keeps its type, nil becomes null; any other is text."},
		{Name: "remove", Type: component.TypeStrings, Doc: "Paths that go away.", Check: checkPaths},
		{Name: "rename", Type: component.TypeAny, Doc: "New path by old path, as in `{ \"data.srcip\" = \"source.ip\" }`. Load time.", Check: checkMoves},
	},
	Example: `transform "map" "ban" {
  from = filter.bans
  set = {
    summary       = "{{ agent.name }} banned {{ data.srcip }}"
    "source.open" = "{{ is_public(data.srcip) }}"
  }
  rename = { "data.srcip" = "source.ip" }
  remove = ["full_log", "predecoder"]
}`,
	NewTransform: newMap,
}

func newMap(c *component.Config) (component.Transform, error) {
	r := &reshape{address: c.Address, sets: c.Templates("set")}
	var found []error
	var err error
	if r.moves, err = movesOf(c.Any("rename")); err != nil {
		found = append(found, c.Error("rename", diag.InvalidValue, err.Error(), ""))
	}
	for _, text := range c.Strings("remove") {
		path, err := splitPath(text)
		if err != nil {
			found = append(found, c.Error("remove", diag.InvalidValue, err.Error(), ""))
		}
		r.removes = append(r.removes, path)
	}
	for i, s := range r.sets {
		if slices.ContainsFunc(r.sets[:i], func(o component.NamedTemplate) bool { return slices.Equal(o.Path, s.Path) }) {
			found = append(found, c.Error("set", diag.InvalidValue, fmt.Sprintf("%s is set twice", s.Name), ""))
		}
	}
	if err := errors.Join(found...); err != nil {
		return nil, err
	}
	return r, nil
}

func checkPaths(value any) error {
	for _, text := range value.([]string) {
		if _, err := splitPath(text); err != nil {
			return err
		}
	}
	return nil
}

func checkMoves(value any) error {
	_, err := movesOf(value.(document.Value))
	return err
}

// movesOf reads the rename attribute.
func movesOf(v document.Value) ([]move, error) {
	if v.IsNil() {
		return nil, nil
	}
	if v.Kind() != document.Object {
		return nil, errors.New(`rename is an object: { "old.path" = "new.path" }`)
	}
	var moves []move
	for name, target := range v.Members() {
		if target.Kind() != document.Text {
			return nil, fmt.Errorf("the new path of %s must be a text", name)
		}
		from, err := splitPath(name)
		if err != nil {
			return nil, err
		}
		to, err := splitPath(target.Text())
		if err != nil {
			return nil, err
		}
		for _, m := range moves {
			if slices.Equal(m.to, to) {
				return nil, fmt.Errorf("%s and %s would both become %s", strings.Join(m.from, "."), name, target.Text())
			}
		}
		moves = append(moves, move{from, to})
	}
	return moves, nil
}
