package chaos

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/wazuh-etl/etl/builtin/file"
	"github.com/wazuh-etl/etl/runtime/graph"
	"github.com/wazuh-etl/etl/runtime/lang"
	"github.com/wazuh-etl/etl/runtime/state"
	"github.com/wazuh-etl/etl/runtime/world"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

// op is a place at which a process can be killed.
type op string

const (
	opTake   op = "take"   // a target is about to take a message
	opAnswer op = "answer" // a target is about to answer one
)

// process is one run of etl. It sees the files through itself, so that after
// its death nothing of it touches them any more, and so that faults are its
// own: the writer of alerts never meets them.
type process struct {
	h      *harness
	number int
	graph  *graph.Graph
	cancel context.CancelFunc
	ended  chan error // Run has returned

	mu    sync.Mutex
	dead  chan struct{} // closed at the instant of a kill
	armed *trigger
}

// trigger kills the process at its n-th operation op from now on.
type trigger struct {
	op    op
	n     int
	after bool // the operation is still done
	part  float64
}

var errDead = errors.New("the process is dead")

// launch starts a run; the error is one with which the process ends at once.
func (h *harness) launch() (*process, error) {
	h.runs++
	p := &process{h: h, number: h.runs, dead: make(chan struct{}), ended: make(chan error, 1)}
	log := slog.New(&logHandler{h: h})
	h.setCurrent(p)
	plan, err := h.load(p)
	if err != nil {
		return p, err
	}
	dir, warnings, err := state.Open(p, statePath, pipelineName)
	if err != nil {
		return p, err
	}
	for _, w := range warnings {
		log.Warn(w)
	}
	p.graph, err = graph.New(plan, graph.Options{
		World:       world.World{FS: p, Notifier: h.files, Dial: h.world.Dial, Listen: h.world.Listen, Now: time.Now},
		Log:         log,
		State:       dir,
		DeadLetters: h.record(deadLetters, file.BuiltinDeadLetters(deadLetterPath)),
	})
	if err != nil {
		return p, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	go func() { p.ended <- p.graph.Run(ctx) }()
	return p, nil
}

// load makes the plan of what the pipeline file says now.
func (h *harness) load(p *process) (*planT, error) {
	plan, list := lang.Load(pipelinePath, lang.Options{
		Specs: h.specs(), FS: h.files, StateDir: stateRoot, Env: func(string) (string, bool) { return "", false },
	})
	if plan == nil {
		return nil, errors.New(list[0].Message)
	}
	return plan, nil
}

// alive says whether the process has not been killed.
func (p *process) alive() bool {
	select {
	case <-p.dead:
		return false
	default:
		return true
	}
}

// die is the instant of a kill -9.
func (p *process) die() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dieLocked()
}

func (p *process) dieLocked() {
	if p.alive() {
		close(p.dead)
	}
}

// arm sets a trigger.
func (p *process) arm(t *trigger) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed = t
}

// at is told of an operation before it is done. If the process is dead, or
// dies of it, part is how much of the operation happens all the same.
func (p *process) at(o op) (part float64, dead bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.alive() {
		return 0, true
	}
	t := p.armed
	if t == nil || t.op != o && t.op != "" {
		return 1, false
	}
	if t.n--; t.n > 0 {
		return 1, false
	}
	p.armed = nil
	p.dieLocked()
	if t.after {
		return 1, true
	}
	return t.part, true
}

// finish waits until nothing of a killed process is left.
func (p *process) finish() {
	if p.graph == nil {
		return
	}
	p.graph.Kill()
	p.cancel()
	<-p.ended
}

// before is at for an operation on a file, with the faults of the disk.
func (p *process) before(o worldtest.Op, name string) (part float64, err error) {
	part, dead := p.at(op(o))
	if dead {
		return part, errDead
	}
	return p.h.disk.fault(o, name)
}

// The file system as the process sees it. Of what is interrupted in the
// middle, a part may have happened.

var _ world.FS = (*process)(nil)

func (p *process) Open(name string) (world.File, error) { return p.OpenFile(name, os.O_RDONLY, 0) }

func (p *process) OpenFile(name string, flag int, perm fs.FileMode) (world.File, error) {
	part, err := p.before(worldtest.OpOpen, name)
	if err != nil && part < 1 {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	f, openErr := p.h.files.OpenFile(name, flag, perm)
	if err != nil && openErr == nil {
		f.Close()
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	if openErr != nil {
		return nil, openErr
	}
	return &handle{File: f, p: p}, nil
}

func (p *process) Stat(name string) (fs.FileInfo, error) {
	if _, err := p.before(worldtest.OpStat, name); err != nil {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	return p.h.files.Stat(name)
}

func (p *process) ReadDir(name string) ([]fs.DirEntry, error) {
	if _, err := p.before(worldtest.OpStat, name); err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return p.h.files.ReadDir(name)
}

func (p *process) ReadFile(name string) ([]byte, error) {
	if _, err := p.before(worldtest.OpRead, name); err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return p.h.files.ReadFile(name)
}

func (p *process) MkdirAll(name string, perm fs.FileMode) error {
	return p.do(worldtest.OpMkdir, name, func() error { return p.h.files.MkdirAll(name, perm) })
}

func (p *process) Rename(from, to string) error {
	return p.do(worldtest.OpRename, from, func() error { return p.h.files.Rename(from, to) })
}

func (p *process) Remove(name string) error {
	return p.do(worldtest.OpRemove, name, func() error { return p.h.files.Remove(name) })
}

func (p *process) SyncDir(name string) error {
	return p.do(worldtest.OpSyncDir, name, func() error { return p.h.files.SyncDir(name) })
}

func (p *process) Identity(info fs.FileInfo) (device, inode uint64) { return p.h.files.Identity(info) }

// do is an operation that happens or not.
func (p *process) do(o worldtest.Op, name string, do func() error) error {
	part, err := p.before(o, name)
	if err == nil {
		return do()
	}
	if part == 1 {
		_ = do()
	}
	return &fs.PathError{Op: string(o), Path: name, Err: err}
}

// handle is a file as the process sees it.
type handle struct {
	world.File
	p *process
}

func (f *handle) Read(b []byte) (int, error) {
	if _, err := f.p.before(worldtest.OpRead, f.Name()); err != nil {
		return 0, &fs.PathError{Op: "read", Path: f.Name(), Err: err}
	}
	return f.File.Read(b)
}

func (f *handle) ReadAt(b []byte, at int64) (int, error) {
	if _, err := f.p.before(worldtest.OpRead, f.Name()); err != nil {
		return 0, &fs.PathError{Op: "read", Path: f.Name(), Err: err}
	}
	return f.File.ReadAt(b, at)
}

func (f *handle) Write(b []byte) (int, error) {
	part, err := f.p.before(worldtest.OpWrite, f.Name())
	if err == nil {
		return f.File.Write(b)
	}
	n := int(part * float64(len(b)))
	if n > 0 {
		n, _ = f.File.Write(b[:n])
	}
	return n, &fs.PathError{Op: "write", Path: f.Name(), Err: err}
}

func (f *handle) Sync() error {
	return f.p.do(worldtest.OpSync, f.Name(), f.File.Sync)
}

func (f *handle) Truncate(size int64) error {
	return f.p.do(worldtest.OpTruncate, f.Name(), func() error { return f.File.Truncate(size) })
}
