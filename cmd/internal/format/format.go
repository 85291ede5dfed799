// Package format brings a pipeline file into the one form that `etl fmt` knows.
package format

import (
	"bytes"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// Source is src formatted: HCL's own alignment and indentation, every label in
// quotes, line feeds without carriage returns, no byte order mark, one line
// break at the end. What stands in strings and heredocs is left alone. A file
// that is not HCL is an error, and is not repaired.
func Source(name string, src []byte) ([]byte, error) {
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	src = bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
	if text := bytes.TrimRight(src, " \t\n"); len(text) == 0 {
		return nil, nil
	} else if len(src) == len(text) {
		src = append(bytes.Clone(src), '\n') // a heredoc that ends the file needs it to parse
	}
	file, diags := hclwrite.ParseConfig(src, name, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, diags
	}
	quoteLabels(file.Body())
	out := hclwrite.Format(file.Bytes())
	return append(bytes.TrimRight(out, " \t\n"), '\n'), nil
}

// quoteLabels puts every label of body's blocks into quotes.
func quoteLabels(body *hclwrite.Body) {
	for _, block := range body.Blocks() {
		if labels := block.Labels(); len(labels) > 0 && bare(block) {
			block.SetLabels(labels)
		}
		quoteLabels(block.Body())
	}
}

// bare says whether one of the block's labels has no quotes: setting labels
// anew would lose a comment between them.
func bare(block *hclwrite.Block) bool {
	names := 0
	for _, token := range block.BuildTokens(nil) {
		switch token.Type {
		case hclsyntax.TokenIdent:
			names++
		case hclsyntax.TokenOBrace:
			return names > 1 // the first is the block's type
		}
	}
	return false
}
