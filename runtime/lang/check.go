package lang

import (
	"errors"
	"regexp"
	"time"

	"github.com/wazuh-etl/etl/runtime/diag"
)

// The checks of schema.go.

func outOfRange(message string) error {
	return diag.Diagnostic{Code: diag.OutOfRange, Message: message}
}

func atLeastOne(v any) error {
	if v.(int) < 1 {
		return outOfRange("this must be at least 1")
	}
	return nil
}

func positiveSize(v any) error {
	if v.(int64) < 1 {
		return outOfRange("this must be at least one byte")
	}
	return nil
}

func positiveDuration(v any) error {
	if v.(time.Duration) <= 0 {
		return outOfRange("this must be longer than nothing")
	}
	return nil
}

var fileName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*$`)

func pipelineName(v any) error {
	if !fileName.MatchString(v.(string)) {
		return errors.New("the name must be usable as a directory's: letters, digits, `-`, `_` and `.`")
	}
	return nil
}
