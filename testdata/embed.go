// Package testdata is the example alerts and what should come of them, in the
// binary: `etl init` copies them, tests read them.
package testdata

import "embed"

// FS has the folder alerts.
//
//go:embed alerts
var FS embed.FS
