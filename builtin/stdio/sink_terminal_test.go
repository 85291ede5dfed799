package stdio

import "testing"

func TestATerminalGetsNoControlCharacters(t *testing.T) {
	payload := []byte("a\x1b[2J\x07\tö\u009b")
	if got := string((&sink{visible: true}).appendShown(nil, payload)); got != "a\\u001b[2J\\u0007\tö\\u009b" {
		t.Errorf("on a terminal: %q", got)
	}
	if got := (&sink{}).appendShown(nil, payload); string(got) != string(payload) {
		t.Errorf("elsewhere: %q", got)
	}
}
