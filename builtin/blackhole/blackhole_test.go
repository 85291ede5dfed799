package blackhole

import (
	"testing"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
)

func TestTakesEverything(t *testing.T) {
	s, err := Specs()[0].NewSink(&component.Config{})
	if err != nil {
		t.Fatal(err)
	}
	taken := 0
	messages := make([]*component.Message, 100)
	for i := range messages {
		messages[i] = &component.Message{Answer: func(_ *component.Message, _ []document.Member, err error) {
			if err != nil {
				t.Error(err)
			}
			taken++
		}}
	}
	if err := s.Deliver(t.Context(), messages); err != nil || taken != len(messages) {
		t.Errorf("%d of %d taken, error %v", taken, len(messages), err)
	}
}
