package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/world"
)

// Source is a feed of a source "wazuh_agents" that runs in this process, without state and
// without a pipeline.
type Source struct {
	source component.Source
	// Hopeless is after how many reports of trouble in a row, before anything is known, the feed is given up; 0: never.
	Hopeless int
}

// retold is how often all agents are told anew, changed or not: for their keepalives, which
// wazuh-db commits no more often.
const retold = 15 * time.Second

const (
	kind    = "wazuh_agents"
	watcher = "source." + kind + ".watch"
)

// NewSource makes the source of specs that has the kind. values are attributes of its block, api of the block
// in it (nil: none), as component.Config has them. Agents are looked at every interval.
func NewSource(specs []*component.Spec, values, api map[string]any, interval time.Duration) (*Source, error) {
	i := slices.IndexFunc(specs, func(s *component.Spec) bool { return s.Role == component.RoleSource && s.Kind == kind })
	if i < 0 {
		return nil, fmt.Errorf("this etl is made without source %q", kind)
	}
	values["poll_interval"], values["heartbeat_interval"] = interval, interval
	values["snapshot_interval"] = max(interval, retold)
	c, err := configure(specs[i].Attrs, values)
	if err != nil {
		return nil, err
	}
	for _, b := range specs[i].Blocks {
		if api == nil || b.Name != "api" {
			continue
		}
		sub, err := configure(b.Attrs, api)
		if err != nil {
			return nil, err
		}
		c.Subs = map[string]*component.Config{b.Name: sub}
	}
	source, err := specs[i].NewSource(c)
	var d diag.Diagnostic
	if errors.As(err, &d) { // it stands in no file
		err = errors.New(d.Message)
	}
	return &Source{source: source}, err
}

// configure is a block with these attributes, checked as the loader does.
func configure(attrs []component.Attr, values map[string]any) (*component.Config, error) {
	c := &component.Config{Address: watcher, Role: component.RoleSource, Values: map[string]any{}}
	for _, a := range attrs {
		v := values[a.Name]
		if v == nil {
			v = a.Default
		} else if a.Check != nil {
			if err := a.Check(v); err != nil {
				return nil, err
			}
		}
		if v != nil {
			c.Values[a.Name] = v
		}
	}
	return c, nil
}

// Run runs the source.
func (s *Source) Run(ctx context.Context, b *Board) error {
	b.Hopeless(s.Hopeless)
	host := &component.Host{World: world.OS(), Address: watcher, Log: slog.New(slog.DiscardHandler), Health: b.Trouble}
	return s.source.Run(ctx, host, nil, lots{b})
}

// lots is a board that a source writes to.
type lots struct{ *Board }

func (l lots) Emit(ctx context.Context, lot *component.Lot) error {
	for _, line := range lot.Lines {
		l.Message(lot.Data[line.Start:line.End])
	}
	if lot.Settled != nil { // what is shown is as good as delivered
		lot.Settled(make([]ack.Outcome, len(lot.Lines)))
	}
	lot.Free()
	return ctx.Err()
}
