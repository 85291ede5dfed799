package lua

import (
	"reflect"

	"github.com/yuin/gopher-lua/ast"
)

// walk calls visit for each call in a chunk, in the order written. It follows
// the tree by reflection, since gopher-lua has no visitor; it runs once for
// each script that is loaded.
func walk(chunk []ast.Stmt, visit func(*ast.FuncCallExpr)) {
	walkValue(reflect.ValueOf(chunk), visit)
}

func walkValue(v reflect.Value, visit func(*ast.FuncCallExpr)) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return
		}
		if v.Kind() == reflect.Pointer && v.CanInterface() {
			if call, ok := v.Interface().(*ast.FuncCallExpr); ok {
				visit(call)
			}
		}
		walkValue(v.Elem(), visit)
	case reflect.Slice:
		for i := range v.Len() {
			walkValue(v.Index(i), visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			walkValue(v.Field(i), visit)
		}
	}
}
