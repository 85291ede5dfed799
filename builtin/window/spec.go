package window

import (
	"errors"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
)

// Specs are the components of this package.
func Specs() []*component.Spec {
	return []*component.Spec{anomalySpec, batchSpec, dedupeSpec, throttleSpec}
}

func positive(v any) error {
	if v.(time.Duration) <= 0 {
		return errors.New("this must be longer than nothing")
	}
	return nil
}

func atLeastOne(v any) error {
	if v.(int) < 1 {
		return errors.New("this must be at least 1")
	}
	return nil
}
