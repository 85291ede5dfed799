// Package lua holds the Lua modules and scripts that come with the binary: a
// pipeline finds them by `require`, or as a script below lua/, where there is
// no file of that name beside it.
package lua

import "embed"

// FS has the files by their names, without a folder.
//
//go:embed *.lua
var FS embed.FS
