package service

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

func TestDeadLettersOfADryRun(t *testing.T) {
	var dead dryDeadLetters
	answers := 0
	fail := func(f *event.Failure) {
		e := event.New(&event.Stream{}, 0, []byte("{}"), time.Time{}, ack.Token{})
		m := &component.Message{Event: e, Answer: func(_ *component.Message, _ []document.Member, err error) {
			if err == nil {
				answers++
			}
		}}
		if f != nil {
			m.Event = e.WithFailure(f)
		}
		if err := dead.Deliver(t.Context(), []*component.Message{m}); err != nil {
			t.Fatal(err)
		}
	}
	told := func() string {
		var b strings.Builder
		if err := dead.tell(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}

	if got := told(); got != "" {
		t.Errorf("without a failure: %q", got)
	}
	fail(nil) // a sink had it that a reload removed
	if got, want := told(), "1 event failed and would be in the dead letters\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for n := range 7 {
		fail(&event.Failure{Component: "transform.map.m", Code: fmt.Sprintf("code_%d", n), Message: "no\x1b[2J luck"})
	}
	fail(&event.Failure{Component: "transform.map.m", Code: "code_6", Message: "another"})
	const want = `9 events failed and would be in the dead letters
  2 of transform.map.m, code_6: no�[2J luck
  1 of transform.map.m, code_0: no�[2J luck
  1 of transform.map.m, code_1: no�[2J luck
  1 of transform.map.m, code_2: no�[2J luck
  1 of transform.map.m, code_3: no�[2J luck
  and 2 more reasons
`
	if got := told(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if answers != 9 {
		t.Errorf("%d of 9 messages were answered", answers)
	}
}
