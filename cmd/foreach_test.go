package cmd

import (
	"strings"
	"syscall"
	"testing"
)

// TestServiceReloadsForEach holds that a key that goes takes its source along, once all it gave
// is delivered, that the others don't notice, and that a key which comes back goes on where it stood.
func TestServiceReloadsForEach(t *testing.T) {
	pipeline := func(keys string) string {
		return `
source "file" "in" {
  for_each = ` + keys + `
  path     = "${each.value}.jsonl"
}
sink "file" "out" {
  from    = source.file.in
  path    = "out.jsonl"
  payload = "{{ meta.source }} {{ n }}"
}
`
	}
	line := func(key, n string) string { return `source.file.in["` + key + `"] ` + n + "\n" }
	d := startDaemon(t, pipeline(`["a", "b/c"]`))
	d.write("a.jsonl", "{\"n\":1}\n")
	want := line("a", "1")
	d.delivered(want)

	reload := func(keys string) {
		t.Helper()
		d.write("pipeline.hcl", pipeline(keys))
		d.signal(syscall.SIGHUP)
		d.told("RELOADING=1")
		d.told("READY=1")
	}
	reload(`["new", "b/c"]`) // a goes, new comes
	d.write("a.jsonl", "{\"n\":1}\n{\"n\":2}\n")
	d.write("new.jsonl", "{\"n\":3}\n")
	want += line("new", "3")
	d.delivered(want)

	reload(`{ a = "a" }`) // and back
	want += line("a", "2")
	d.delivered(want)
	d.signal(syscall.SIGTERM)
	d.told("STOPPING=1")
	d.exited(exitDone)
	if strings.Contains(d.stderr.String(), "takes over") {
		t.Error("a source took over the checkpoints of another one")
	}
}
