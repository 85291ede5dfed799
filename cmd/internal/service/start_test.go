package service

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/wazuh-etl/etl/builtin"
	"github.com/wazuh-etl/etl/cmd/internal/load"
	"github.com/wazuh-etl/etl/cmd/internal/signals"
)

// until is a log that does something once it has a text.
type until struct {
	mu   sync.Mutex
	text string
	do   func()
	all  bytes.Buffer
}

func (u *until) Write(p []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if strings.Contains(string(p), u.text) {
		u.do()
	}
	return u.all.Write(p)
}

// said is what was written so far: a load that was broken off may write yet.
func (u *until) said() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.all.String()
}

// What came before there was a pipeline is answered: a stop ends the run, a reload comes when it runs.
func TestSignalsThatCameBefore(t *testing.T) {
	for _, c := range []struct {
		signal os.Signal
		text   string
	}{
		{syscall.SIGTERM, "INFO  stopping: "},
		{syscall.SIGINT, "INFO  stopping: "},
		{syscall.SIGHUP, "INFO  reloaded"},
	} {
		t.Run(c.signal.String(), func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "pipeline.hcl")
			if err := os.WriteFile(path, []byte(`
source "file" "in" { path = "in.jsonl" }
sink "file" "out" {
  from = source.file.in
  path = "out.jsonl"
}
`), 0o600); err != nil {
				t.Fatal(err)
			}
			orders := make(chan os.Signal, 1)
			orders <- c.signal
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			log := &until{text: c.text, do: cancel}
			s := &Service{
				Path: path, Options: load.Options(builtin.Specs()), KeepState: true,
				Signals: &signals.Signals{Orders: orders}, Stdout: log, Stderr: log,
			}
			s.Options.StateDir = dir
			if err := s.Run(ctx); err != nil {
				t.Fatal(err)
			}
			if said := log.said(); ctx.Err() == nil || !strings.Contains(said, c.text) {
				t.Errorf("it ended without a word of it:\n%s", said)
			}
		})
	}
}
