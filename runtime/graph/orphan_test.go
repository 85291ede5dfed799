package graph

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/world"
)

// named is a pipeline of a tap with a queue on disk, under a name of its own.
func named(address, settings string, source *tap, sinks ...*collector) *pipeline {
	p := newPipeline()
	p.plan.Runtime.ShutdownTimeout = 50 * time.Millisecond
	p.add(plan.Node{
		Address: address, Source: source, Settings: settings, Fingerprint: address + settings,
		Queue: plan.Queue{MaxEvents: 100, MaxBytes: 64 << 20, WhenFull: plan.Block, Disk: true},
	})
	for i, sink := range sinks {
		name := string(rune('a' + i))
		p.add(plan.Node{Address: "sink.test." + name, Sink: sink, Fingerprint: name, Required: true}, address)
	}
	return p
}

// fill runs source until the queue on disk under address has all it gives, and stops.
func fill(t *testing.T, dir, address, settings string, source *tap, sinks ...*collector) {
	t.Helper()
	g, err := New(named(address, settings, source, sinks...).plan, Options{State: openState(t, dir), World: world.OS()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	for source.taken.Load() < source.until {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

// What a source leaves in its queue on disk goes to the source that has its kind and settings
// now, each sink from where it stood; for every other source it is told how much waits.
func TestARenamedSourceTakesOverItsQueue(t *testing.T) {
	dir, well, taken := t.TempDir(), &collector{}, new(atomic.Int64)
	fill(t, dir, "source.test.old", "s", &tap{0, 1000, taken}, well, &collector{fail: down})
	for _, c := range []struct {
		what, address, settings string
		want                    []int64
		says                    string
	}{
		{"of another kind", "source.other.new", "s", sequence(1000, 1100), "queue=source.test.old events=1000"},
		{"with other settings", "source.test.new", "t", sequence(1000, 1100), "queue=source.test.old events=1000"},
		{"whose settings nobody knows", "source.test.third", "", sequence(1000, 1100), "queue=source.test.old events=1000"},
		{"renamed", "source.test.renamed", "s", sequence(0, 1100), "from=source.test.old"},
		{"with its old name, which has nothing any more", "source.test.old", "u", sequence(1000, 1100), ""},
	} {
		var said bytes.Buffer
		healed := &collector{}
		_, err := run(t, named(c.address, c.settings, &tap{1000, 1100, new(atomic.Int64)}, well, healed),
			Options{State: openState(t, dir), World: world.OS(), Log: slog.New(slog.NewTextHandler(&said, nil))})
		if err != nil {
			t.Fatal(err)
		}
		wantNumbers(t, c.what, healed.numbers(), c.want)
		if !strings.Contains(said.String(), c.says) || c.says == "" && strings.Contains(said.String(), "queue") {
			t.Errorf("%s: it does not say %q: %s", c.what, c.says, &said)
		}
	}
	if all := slices.Compact(slices.Sorted(slices.Values(well.numbers()))); !slices.Equal(all, sequence(0, 1100)) || len(well.numbers()) > 1000+5*100+300 {
		t.Errorf("the well sink got %d events, %d of them different", len(well.numbers()), len(all))
	}
}

// A reload that renames the source moves what it has left on disk to the new name; one that removes
// it tells what stays behind.
func TestAQueueOnDiskOverReloads(t *testing.T) {
	dir, taken := t.TempDir(), new(atomic.Int64)
	fill(t, dir, "source.test.old", "s", &tap{0, 1000, taken}, &collector{fail: down})
	var said bytes.Buffer
	sink := &collector{fail: down}
	state := openState(t, dir)
	g, err := New(named("source.test.old", "s", &tap{1000, 2000, taken}, sink).plan,
		Options{State: state, World: world.OS(), Log: slog.New(slog.NewTextHandler(&said, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	until := func(what string, ok func() bool) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal(what)
			}
		}
	}
	until("the source was not taken", func() bool { return taken.Load() == 2000 })
	if err := g.Reload(named("source.test.new", "s", &tap{2000, 3000, taken}, sink).plan); err != nil {
		t.Fatal(err)
	}
	until("the renamed source was not taken", func() bool { return taken.Load() == 3000 })
	other := named("source.test.other", "t", &tap{3000, 3100, taken}, sink)
	if err := g.Reload(other.plan); err != nil {
		t.Fatal(err)
	}
	until("the other source was not taken", func() bool { return taken.Load() == 3100 })
	cancel()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	for _, want := range []string{"component=source.test.new from=source.test.old", "queue=source.test.new events="} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("it does not say %q: %s", want, &said)
		}
	}

	healed := &collector{}
	if _, err := run(t, named("source.test.again", "s", &tap{3100, 3200, taken}, healed), Options{State: openState(t, dir), World: world.OS()}); err != nil {
		t.Fatal(err)
	}
	wantNumbers(t, "the queue that was moved twice", healed.numbers(), append(sequence(0, 3000), sequence(3100, 3200)...))
}
