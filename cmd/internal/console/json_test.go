package console

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(NewJSON(&b, slog.LevelInfo))
	log.Debug("hidden")
	log.With("every", time.Minute).Info("waits", "after", 10*time.Second, slog.Group("g", "d", 1500*time.Millisecond), "n", 3)
	if _, rest, _ := strings.Cut(b.String(), ","); rest != `"level":"INFO","msg":"waits","every":"1m0s","after":"10s","g":{"d":"1.5s"},"n":3}`+"\n" {
		t.Errorf("got %s", b.String())
	}
}
