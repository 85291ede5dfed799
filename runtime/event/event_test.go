package event

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/document"
)

var stream = &Stream{Source: "source.file.alerts", Generation: "f99171", File: "/var/alerts.json"}

func made(raw string) *Event {
	return New(stream, 1234, []byte(raw), time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), ack.Token{})
}

func root(t *testing.T, e *Event) document.Value {
	t.Helper()
	v, err := e.Root()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestIDsNameTheWay(t *testing.T) {
	e := made(`{}`)
	one := e.Derive("transform.lua.event_xml", -1, document.Value{})
	list := e.Derive("transform.lua.event_xml", 0, document.Value{})
	again := list.Derive("transform.map.m", -1, document.Value{})
	for _, c := range []struct{ got, want string }{
		{e.ID(), "f99171@1234"},
		{one.ID(), "f99171@1234/transform.lua.event_xml"},
		{list.ID(), "f99171@1234/transform.lua.event_xml#0"},
		{again.ID(), "f99171@1234/transform.lua.event_xml#0/transform.map.m"},
		{Merge([]*Event{e, one}, "hash", document.Value{}).ID(), "hash"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
	e.SetID("own")
	if one.ID() != "own/transform.lua.event_xml" || again.Origin() != e {
		t.Errorf("got %s, origin %p, want own/… of %p", one.ID(), again.Origin(), e)
	}
}

// Bounds of memory mean what events hold: a small event keeps the large one that it was made from.
func TestADerivedEventCountsWhatItHolds(t *testing.T) {
	large := made(`{"text":"` + strings.Repeat("x", 10_000) + `"}`)
	small := document.NewText("y")
	alone, first, second := large.Derive("t", -1, small), large.Derive("t", 0, small), large.Derive("t", 1, small)
	if alone.Size() < large.Size() || first.Size() != alone.Size() || second.Size() > 1000 {
		t.Errorf("sizes %d, %d and %d of what was made from %d", alone.Size(), first.Size(), second.Size(), large.Size())
	}
}

func TestARecycledEventLeavesNothingBehind(t *testing.T) {
	var e Event
	e.Recycle(stream, 1, []byte(`{"n":1}`), time.Time{}, ack.Token{}, nil)
	if root(t, &e).Get("n").Number() != "1" {
		t.Fatal("not parsed")
	}
	var slab Slab
	parsed := e.Keep(&slab)
	e.Recycle(stream, 2, []byte(`{"n":2}`), time.Time{}, ack.Token{}, nil)
	unparsed := e.Keep(&slab)
	line := []byte(`{"n":3}`)
	e.Recycle(stream, 3, line, time.Time{}, ack.Token{}, nil)
	root(t, &e)
	copy(line, "xxxxxxx")
	for want, k := range map[string]*Event{"1": parsed, "2": unparsed} {
		if got := root(t, k).Get("n").Number(); got != want {
			t.Errorf("the kept event reads %q, want %s", got, want)
		}
	}
	e.Recycle(stream, 4, []byte(`{`), time.Time{}, ack.Token{}, Failf(CodeNotObject, "no object"))
	if _, err := e.Root(); err == nil || e.Failure() == nil {
		t.Error("a broken line has a document")
	}
	e.Recycle(stream, 5, []byte(`{}`), time.Time{}, ack.Token{}, nil)
	if _, err := e.Root(); err != nil || e.Failure() != nil || e.ID() != "f99171@5" {
		t.Errorf("the next line inherited %v, %v, %s", err, e.Failure(), e.ID())
	}
}

func TestRecyclingAllocatesNothing(t *testing.T) {
	var e Event
	raw := []byte(`{"a":{"b":[1,2,"x"]},"c":"d"}`)
	n := testing.AllocsPerRun(100, func() {
		e.Recycle(stream, 1, raw, time.Time{}, ack.Token{}, nil)
		if _, err := e.Root(); err != nil {
			t.Error(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestABrokenDocumentIsTheEventsError(t *testing.T) {
	e := made(`{"a":`)
	_, err := e.Root()
	var f *Failure
	if !errors.As(err, &f) || f.Code != CodeNotJSON {
		t.Errorf("got %v", err)
	}
	if got := string(e.AppendJSON(nil)); got != `{"a":` {
		t.Errorf("its bytes are %s", got)
	}
}

// Two sinks may look into one event at the same moment.
func TestCopiesShareOneParse(t *testing.T) {
	for range 50 {
		e := made(`{"n":[1,2,3]}`)
		var wg sync.WaitGroup
		for slot := range 4 {
			k := e.ForSlot(slot)
			wg.Go(func() {
				if v, err := k.Root(); err != nil || v.Get("n").Len() != 3 {
					t.Error(v, err)
				}
				_ = k.Origin().ID()
			})
		}
		wg.Wait()
	}
}

func TestMeta(t *testing.T) {
	e := made(`{}`)
	failed := e.WithFailure(&Failure{Component: "sink.kafka.dfn", Code: "too_large", Message: "too large", Attempts: 2})
	sent := e.WithDelivery(&Delivery{Address: "sink.kafka.dfn", Payload: []byte("x"), Attributes: []document.Member{{Name: "topic", Value: document.NewText("t")}}})
	for _, c := range []struct {
		e          *Event
		path, want string
	}{
		{e, "id", `"f99171@1234"`}, {e, "source", `"source.file.alerts"`}, {e, "file", `"/var/alerts.json"`}, {e, "offset", "1234"},
		{e, "received", `"2026-03-01T00:00:00Z"`}, {e, "position.path", `"/var/alerts.json"`}, {e, "position.offset", "1234"},
		{e, "sink", "null"}, {e, "error", "null"}, {e, "nothing", "null"},
		{failed, "error.component", `"sink.kafka.dfn"`}, {failed, "error.code", `"too_large"`}, {failed, "error.attempts", "2"},
		{sent, "sink.address", `"sink.kafka.dfn"`}, {sent, "sink.payload", `"x"`}, {sent, "sink.topic", `"t"`},
	} {
		path := strings.Split(c.path, ".")
		if got := string(c.e.Meta(path[0]).At(path[1:]...).AppendJSON(nil)); got != c.want {
			t.Errorf("meta.%s is %s, want %s", c.path, got, c.want)
		}
	}
	if !strings.Contains(string(sent.MetaValue().AppendJSON(nil)), `"topic":"t"`) {
		t.Error("meta as a whole has no sink")
	}
}

// What was behind two sinks when it was merged holds each one's slot, and no
// other; what was behind none holds the slot that it goes on to.
func TestAMergedEventHoldsTheSlotsOfItsMembers(t *testing.T) {
	lot := ack.NewTracker([]any{nil, nil, nil}, nil).Open(nil, 1, 1, nil, nil)
	e := New(stream, 1, []byte(`{}`), time.Time{}, ack.Token{Lot: lot})
	members := []*Event{e.ForSlot(0), e.ForSlot(1), e}
	for _, m := range members {
		m.HoldAll()
	}
	lot.Processed()
	merged := Merge(members[:2], "both", document.Value{}).ForSlot(2)
	all := Merge(members, "all", document.Value{}).ForSlot(2)
	settled := func(want ...bool) {
		t.Helper()
		for slot, want := range want {
			if got := (ack.Token{Lot: lot}).Settled(slot); got != want {
				t.Errorf("slot %d: settled is %v", slot, got)
			}
		}
	}
	merged.Hold()
	all.Hold()
	for _, m := range members {
		m.ReleaseAll(ack.Accepted)
	}
	settled(false, false, false)
	all.Release(ack.Accepted)
	settled(false, false, true)
	if merged.Share().Settled() || e.Share().Settled() {
		t.Error("settled, with two slots held")
	}
	merged.Release(ack.Accepted)
	settled(true, true, true)
	if !merged.Share().Settled() || !e.Share().Settled() {
		t.Error("not settled")
	}
}
