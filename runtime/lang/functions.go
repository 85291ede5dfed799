package lang

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// pureFunctions is the useful part of Terraform's, under its names.
var pureFunctions = map[string]function.Function{
	"abs": stdlib.AbsoluteFunc, "ceil": stdlib.CeilFunc, "floor": stdlib.FloorFunc,
	"max": stdlib.MaxFunc, "min": stdlib.MinFunc, "parseint": stdlib.ParseIntFunc, "pow": stdlib.PowFunc, "signum": stdlib.SignumFunc,

	"chomp": stdlib.ChompFunc, "format": stdlib.FormatFunc, "formatlist": stdlib.FormatListFunc, "indent": stdlib.IndentFunc,
	"join": stdlib.JoinFunc, "lower": stdlib.LowerFunc, "regex": stdlib.RegexFunc, "regexall": stdlib.RegexAllFunc,
	"replace": stdlib.ReplaceFunc, "split": stdlib.SplitFunc, "strrev": stdlib.ReverseFunc, "substr": stdlib.SubstrFunc,
	"title": stdlib.TitleFunc, "trim": stdlib.TrimFunc, "trimprefix": stdlib.TrimPrefixFunc, "trimspace": stdlib.TrimSpaceFunc,
	"trimsuffix": stdlib.TrimSuffixFunc, "upper": stdlib.UpperFunc,
	"startswith": textPredicate(func(s, part string) bool { return len(s) >= len(part) && s[:len(part)] == part }),
	"endswith":   textPredicate(func(s, part string) bool { return len(s) >= len(part) && s[len(s)-len(part):] == part }),

	"chunklist": stdlib.ChunklistFunc, "coalesce": stdlib.CoalesceFunc, "coalescelist": stdlib.CoalesceListFunc, "compact": stdlib.CompactFunc,
	"concat": stdlib.ConcatFunc, "contains": stdlib.ContainsFunc, "distinct": stdlib.DistinctFunc, "element": stdlib.ElementFunc,
	"flatten": stdlib.FlattenFunc, "keys": stdlib.KeysFunc, "length": lengthFunc, "lookup": stdlib.LookupFunc,
	"merge": stdlib.MergeFunc, "range": stdlib.RangeFunc, "reverse": stdlib.ReverseListFunc, "setintersection": stdlib.SetIntersectionFunc,
	"setproduct": stdlib.SetProductFunc, "setsubtract": stdlib.SetSubtractFunc, "setunion": stdlib.SetUnionFunc,
	"slice": stdlib.SliceFunc, "sort": stdlib.SortFunc, "values": stdlib.ValuesFunc, "zipmap": stdlib.ZipmapFunc,

	"csvdecode": stdlib.CSVDecodeFunc, "jsondecode": stdlib.JSONDecodeFunc, "jsonencode": stdlib.JSONEncodeFunc,
	"base64encode": textFunction(func(s string) (string, error) { return base64.StdEncoding.EncodeToString([]byte(s)), nil }),
	"base64decode": textFunction(decodeBase64),
	"sha256": textFunction(func(s string) (string, error) {
		sum := sha256.Sum256([]byte(s))
		return hex.EncodeToString(sum[:]), nil
	}),
	"basename": textFunction(func(s string) (string, error) { return path.Base(s), nil }),
	"dirname":  textFunction(func(s string) (string, error) { return path.Dir(s), nil }),

	"can": tryfunc.CanFunc, "try": tryfunc.TryFunc,

	"tobool": stdlib.MakeToFunc(cty.Bool), "tolist": stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)),
	"tomap": stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)), "tonumber": stdlib.MakeToFunc(cty.Number),
	"toset": stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)), "tostring": stdlib.MakeToFunc(cty.String),
}

// functionNames are the names of all that load-time values can call, sorted.
var functionNames = slices.Sorted(func(yield func(string) bool) {
	for name := range pureFunctions {
		if !yield(name) {
			return
		}
	}
	_ = yield("env") && yield("file")
})

// lengthFunc counts the characters of a text and the elements of everything else.
var lengthFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true, AllowUnknown: true}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		v := args[0]
		switch t := v.Type(); {
		case t == cty.DynamicPseudoType:
			return cty.UnknownVal(cty.Number), nil
		case t == cty.String:
			return stdlib.Strlen(v)
		case t.IsCollectionType() || t.IsTupleType() || t.IsObjectType():
			return v.Length(), nil
		}
		return cty.NilVal, function.NewArgErrorf(0, "a list, an object or a text is needed")
	},
})

func textParameters(names ...string) []function.Parameter {
	var out []function.Parameter
	for _, n := range names {
		out = append(out, function.Parameter{Name: n, Type: cty.String})
	}
	return out
}

func textFunction(f func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Params: textParameters("text"),
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			s, err := f(args[0].AsString())
			return cty.StringVal(s), err
		},
	})
}

func textPredicate(f func(s, part string) bool) function.Function {
	return function.New(&function.Spec{
		Params: textParameters("text", "part"),
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(f(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

func decodeBase64(s string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || !utf8.Valid(b) {
		return "", fmt.Errorf("not the base64 of a text")
	}
	return string(b), nil
}

// functions are the pure ones and those that look at this pipeline's surroundings.
func (l *loader) functions() map[string]function.Function {
	all := map[string]function.Function{"env": l.envFunction(), "file": l.fileFunction()}
	for name, f := range pureFunctions {
		all[name] = f
	}
	return all
}

func (l *loader) envFunction() function.Function {
	return function.New(&function.Spec{
		Params:   textParameters("name"),
		VarParam: &function.Parameter{Name: "default", Type: cty.String, AllowNull: true, AllowUnknown: true},
		Type:     function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			name := args[0].AsString()
			if v, ok := l.o.Env(name); ok {
				return cty.StringVal(v), nil
			}
			switch {
			case len(args) > 1:
				return args[1], nil
			case !l.o.Mode.strict():
				return lackingValue(cty.String, "$"+name), nil
			}
			return cty.NilVal, function.NewArgErrorf(0, "the environment variable %s is not set, and no default is given: env(%q, \"…\")", name, name)
		},
	})
}

func (l *loader) fileFunction() function.Function {
	return function.New(&function.Spec{
		Params: textParameters("path"),
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			name := l.absolute(args[0].AsString())
			content, _, err := l.readFile(name)
			switch {
			case err == nil && !utf8.Valid(content):
				return cty.NilVal, function.NewArgErrorf(0, "%s is not UTF-8", name)
			case err == nil:
				return cty.StringVal(string(content)), nil
			case !l.o.Mode.strict():
				return lackingValue(cty.String, "file("+args[0].AsString()+")"), nil
			}
			return cty.NilVal, function.NewArgErrorf(0, "reading %s: %s", name, reason(err))
		},
	})
}

// reason is an error without the path that is said already.
func reason(err error) string {
	if pe, ok := err.(*fs.PathError); ok {
		return pe.Err.Error()
	}
	return err.Error()
}
