package service

import (
	"bytes"
	"testing"
)

func TestNoSecretIsShown(t *testing.T) {
	var out bytes.Buffer
	h := &hiding{out: &out}
	h.hide([]string{"s3cret-long", "s3cret"})
	n, err := h.Write([]byte("broker s3cret-long.invalid: s3cret\n"))
	if want := "broker (secret).invalid: (secret)\n"; out.String() != want || n != 35 || err != nil {
		t.Errorf("got %q, %d, %v, want %q", out.String(), n, err, want)
	}
}
