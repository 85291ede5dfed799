package reference

import _ "embed"

// common is the page of what the language itself gives every component.
//
//go:embed common.md
var common string
