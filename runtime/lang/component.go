package lang

import (
	"log/slog"
	"path/filepath"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/state"
	"github.com/wazuh-etl/etl/runtime/world"
)

// makeComponents makes those whose blocks are right, also where other blocks
// are wrong: what they find belongs to the same report.
func (l *loader) makeComponents() {
	for _, n := range l.order {
		if n.Spec == nil || n.off || n.bad {
			continue
		}
		cfg := n.config.cfg
		before := l.takeReads(map[string]bool{})
		err := l.makeComponent(n, cfg)
		if err != nil {
			l.reportComponent(n, err)
		} else {
			l.checkDisk(n)
			if l.o.Mode.strict() {
				l.check(n, n.component())
			}
		}
		l.noteReads(n)
		for name := range l.takeReads(before) {
			l.noteRead(name)
		}
	}
}

func (l *loader) makeComponent(n *node, cfg *component.Config) (err error) {
	switch s := n.Spec; {
	case s.NewSource != nil:
		n.Source, err = s.NewSource(cfg)
	case s.NewTransform != nil:
		n.Transform, err = s.NewTransform(cfg)
	case s.NewStage != nil:
		n.Stage, err = s.NewStage(cfg)
	case s.NewSink != nil:
		n.Sink, err = s.NewSink(cfg)
	}
	return err
}

// component is what the block became, nil if nothing.
func (n *node) component() any {
	for _, c := range []any{n.Source, n.Transform, n.Stage, n.Sink} {
		if c != nil {
			return c
		}
	}
	return nil
}

// check asks the component about the files that it names.
func (l *loader) check(n *node, made any) {
	checker, is := made.(component.Checker)
	if !is {
		return
	}
	w := world.OS()
	w.FS = l.o.FS
	for _, err := range checker.Check(&component.Host{
		World:    w,
		Address:  n.Address,
		Log:      slog.New(slog.DiscardHandler),
		StateDir: state.ComponentDir(l.plan.State, n.Address),
		State:    state.Volatile(),
		Health:   func(error) {},
	}) {
		l.reportComponent(n, err)
	}
}

// reportComponent reports what a component found, in files called as
// everything else calls them.
func (l *loader) reportComponent(n *node, err error) {
	for _, d := range findings(err, n.Range, diag.InvalidValue) {
		if filepath.IsAbs(d.Range.File) {
			d.Range.File = l.display(d.Range.File)
		}
		l.report(d)
	}
}

// noteReads makes what the component read part of what it is.
func (l *loader) noteReads(n *node) {
	if r, is := n.component().(component.Reads); is {
		for _, name := range r.Files() {
			l.noteRead(l.absolute(name))
		}
	}
	l.printReads(n.config.print)
}

// printReads adds what the files hold that were read since takeReads.
func (l *loader) printReads(p *fingerprint) {
	if !l.o.Mode.strict() {
		return
	}
	for _, name := range sortedKeys(l.reads) {
		content, err := l.o.FS.ReadFile(name)
		if err != nil {
			embedded, _, _ := l.embedded(name)
			content = embedded
		}
		p.add("file "+name, string(content))
	}
}

// readsAgain says whether a source can be read again from an earlier position.
func readsAgain(s component.Source) bool {
	_, is := s.(component.Resumable)
	return is
}
