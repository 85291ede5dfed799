// Package pipelines is what etl ships: pipeline files, each with its tests.
package pipelines

import "embed"

// FS has the pipeline files and what their tests read beside them.
//
//go:embed *.hcl testdata
var FS embed.FS
