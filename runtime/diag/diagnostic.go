// Package diag is the one type for everything that is wrong, or looks wrong,
// with a configuration. Text and JSON are two renderings of it.
package diag

import "fmt"

// Severity says whether a pipeline can run all the same.
type Severity uint8

// The severities.
const (
	Error Severity = iota
	Warning
)

func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Pos is a place in a file the operator edits. Line and Column count from 1,
// Column in characters; Byte counts from 0.
type Pos struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

// Range is what a diagnostic is about; End is behind its last character.
type Range struct {
	File  string `json:"file"`
	Start Pos    `json:"start"`
	End   Pos    `json:"end"`
}

func (r Range) String() string {
	return fmt.Sprintf("%s:%d:%d", r.File, r.Start.Line, r.Start.Column)
}

// Diagnostic is one finding.
type Diagnostic struct {
	Code       Code     `json:"code"`
	Severity   Severity `json:"-"`
	Range      Range    `json:"range"`
	Message    string   `json:"message"`              // what is wrong, one sentence, lower case, no full stop
	Suggestion string   `json:"suggestion,omitempty"` // what to write instead
}

func (d Diagnostic) Error() string {
	s := fmt.Sprintf("%s: %s %s: %s", d.Range, d.Severity, d.Code, d.Message)
	if d.Suggestion != "" {
		s += " (" + d.Suggestion + ")"
	}
	return s
}

// List is all findings of one load, in the order of the file.
type List []Diagnostic

// Failed says whether one of them is an error.
func (l List) Failed() bool {
	for _, d := range l {
		if d.Severity == Error {
			return true
		}
	}
	return false
}

// Code is a stable name of a kind of finding, ETL1203: the table is in codes.go.
type Code string
