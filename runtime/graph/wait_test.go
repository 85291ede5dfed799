package graph

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/plan"
	"github.com/wazuh-etl/etl/runtime/state"
)

// unreadable is a source whose input can't be read before a time.
type unreadable struct {
	generations
	until time.Time
	kind  func(error) error
}

func (u *unreadable) Resume(host *component.Host, from []component.Position) ([]bool, error) {
	if time.Now().Before(u.until) {
		return nil, u.kind(fs.ErrPermission)
	}
	return u.generations.Resume(host, from)
}

func (u *unreadable) Run(ctx context.Context, host *component.Host, from []component.Position, out component.Output) error {
	if time.Now().Before(u.until) {
		return errors.New("it runs before it can be read")
	}
	return u.generations.Run(ctx, host, from, out)
}

// What can't be read yet at a start with checkpoints is waited for, also over a reload; then each sink goes on where
// it stood. Until then the checkpoints stay as they are.
func TestInputThatCannotBeReadYetIsWaitedFor(t *testing.T) {
	for _, reloads := range []int{0, 2} {
		synctest.Test(t, func(t *testing.T) {
			dir := openState(t, t.TempDir())
			stored := []state.Checkpoint{
				{Source: "source.test.log", Sink: "sink.test.dead", Position: component.Position{Generation: "gone", Offset: 7}},
				{Source: "source.test.log", Sink: "sink.test.well", Position: component.Position{Generation: "third", Offset: 15}},
			}
			if err := dir.Save(stored); err != nil {
				t.Fatal(err)
			}
			well, dead := &collector{}, &collector{}
			readable := time.Now().Add(time.Minute)
			build := func(config string) *pipeline {
				p := newPipeline()
				p.add(plan.Node{Address: "source.test.log", Fingerprint: config, Source: &unreadable{until: readable, kind: component.NotYet}})
				p.add(plan.Node{Address: "sink.test.well", Fingerprint: "-", Sink: well, Required: true}, "source.test.log")
				p.add(plan.Node{Address: "sink.test.dead", Fingerprint: "-", Sink: dead, Required: true}, "source.test.log")
				return p
			}
			var log strings.Builder
			g, err := New(build("0").plan, Options{State: dir, Log: slog.New(slog.NewTextHandler(&log, nil))})
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error)
			go func() { ended <- g.Run(t.Context()) }()
			for n := range reloads {
				time.Sleep(10 * time.Second)
				if err := g.Reload(build(string(rune('1' + n))).plan); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(10 * time.Second)
			for sink, p := range dir.Checkpoints("source.test.log") {
				if p != stored[0].Position && p != stored[1].Position {
					t.Errorf("the checkpoint of %s is %v", sink, p)
				}
			}
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			wantNumbers(t, "well", well.numbers(), sequence(15, 20))
			wantNumbers(t, "dead", dead.numbers(), sequence(0, 20))
			if n := strings.Count(log.String(), "trying again"); n != 1+reloads {
				t.Errorf("said %d times:\n%s", n, log.String())
			}
		})
	}
}

// It ends the run where nobody waits, and where waiting helps nothing; a stop ends the wait.
func TestInputThatCannotBeReadYetEndsTheRun(t *testing.T) {
	for name, c := range map[string]struct {
		kind func(error) error
		once bool
		want error
	}{
		"once":          {component.NotYet, true, fs.ErrPermission},
		"for good":      {func(err error) error { return err }, false, fs.ErrPermission},
		"it is stopped": {component.NotYet, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := openState(t, t.TempDir())
				if err := dir.Save([]state.Checkpoint{{Source: "source.test.log", Sink: "sink.test.out", Position: component.Position{Generation: "third", Offset: 15}}}); err != nil {
					t.Fatal(err)
				}
				p := newPipeline()
				p.add(plan.Node{Address: "source.test.log", Source: &unreadable{until: time.Now().Add(time.Hour), kind: c.kind}})
				p.add(plan.Node{Address: "sink.test.out", Sink: &collector{}, Required: true}, "source.test.log")
				g, err := New(p.plan, Options{State: dir, Once: c.once})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if err := g.Run(ctx); !errors.Is(err, c.want) || (err != nil) != (c.want != nil) {
					t.Errorf("error %v", err)
				}
			})
		})
	}
}
