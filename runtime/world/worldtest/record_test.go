package worldtest

import (
	"os"
	"strings"
	"testing"
)

// What was synced is on every disk; what was not is on some, whole and torn.
func TestCrashes(t *testing.T) {
	r := Record()
	must(t, r.MkdirAll("/d", 0o755))
	must(t, r.SyncDir("/"))
	f, err := r.OpenFile("/d/f", os.O_WRONLY|os.O_CREATE, 0o644)
	must(t, err)
	write := func(text string) {
		t.Helper()
		_, err := f.Write([]byte(text))
		must(t, err)
	}
	write("one.")
	must(t, f.Sync())
	must(t, r.SyncDir("/d"))
	r.Mark()
	write("two.")
	write("six.")
	must(t, f.Sync())
	r.Mark()
	must(t, r.Rename("/d/f", "/d/g"))
	seen := map[string]bool{}
	for c := range r.Crashes() {
		text := ""
		for _, name := range []string{"/d/f", "/d/g"} {
			if b, err := c.FS.ReadFile(name); err == nil {
				text += name + " " + string(b) + "\n"
			}
		}
		seen[text] = true
		if want := []string{"", "one.", "one.two.six."}[c.Marks]; !strings.Contains(text, want) {
			t.Errorf("%s: %q, want %q in it", c.What, text, want)
		}
	}
	for _, want := range []string{
		"", "/d/f \n", "/d/f one.\n", "/d/f on\n", "/d/f \x00\x00e.\n", "/d/f one.two.\n", "/d/f one.two.si\n",
		"/d/f one.\x00\x00\x00\x00six.\n", "/d/f one.two.six.\n", "/d/g one.two.six.\n",
	} {
		if !seen[want] {
			t.Errorf("no crash leaves %q", want)
		}
	}
}
