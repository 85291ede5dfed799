package service

import (
	"io"
	"strings"
	"sync/atomic"
)

// hiding is a writer that shows no secret: a broker's answer, a path or a
// script's error may be made of one.
type hiding struct {
	out      io.Writer
	replacer atomic.Pointer[strings.Replacer]
}

// hide makes secrets what is hidden from now on.
func (h *hiding) hide(secrets []string) {
	var pairs []string
	for _, s := range secrets {
		pairs = append(pairs, s, "(secret)")
	}
	h.replacer.Store(strings.NewReplacer(pairs...))
}

// Write writes whole lines, as loggers do: a secret cut in two is not found.
func (h *hiding) Write(p []byte) (int, error) {
	if _, err := io.WriteString(h.out, h.replacer.Load().Replace(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}
