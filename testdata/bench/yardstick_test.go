package main

import (
	"testing"

	"github.com/wazuh-etl/etl/builtin/generate/corpus"
)

// What this program does in its own process finds what is to be found.
func TestInProcess(t *testing.T) {
	made, err := makeAlerts(t.TempDir(), corpus.MixBusy, 5e6) // several blocks
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"experiment": len(made.expected), "unmarshal": made.lines} {
		if n, err := inProcess[name](made.file); err != nil || n != int64(want) {
			t.Errorf("%s: %d of %d (%v)", name, n, want, err)
		}
	}
}
