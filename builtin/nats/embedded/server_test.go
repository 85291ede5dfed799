package embedded

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stream is a stream of a server, with a message more than it had.
func stream(t testing.TB, s *Server) (messages uint64) {
	t.Helper()
	nc, err := nats.Connect(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	st, err := js.CreateOrUpdateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "s", nil); err != nil {
		t.Fatal(err)
	}
	info, err := st.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return info.State.Msgs
}

func start(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOneServerForAStore(t *testing.T) {
	dir := t.TempDir()
	first := start(t, Options{Dir: dir})
	second := start(t, Options{Dir: dir + "/."})
	if first != second {
		t.Error("two servers on one store")
	}
	if s, err := Start(Options{Dir: dir, Port: 1}); err == nil || !strings.Contains(err.Error(), "restart") {
		t.Errorf("on another port: %v, %v", s, err)
	}
	first.Stop()
	if n := stream(t, second); n != 1 {
		t.Errorf("%d messages", n)
	}
	second.Stop()
	again := start(t, Options{Dir: dir})
	defer again.Stop()
	if n := stream(t, again); n != 2 {
		t.Errorf("%d messages after a restart", n)
	}
	if _, err := os.Stat(filepath.Join(again.Store(), "$G", "streams", "S")); err != nil {
		t.Error(err)
	}
}

// A full disk makes a server switch JetStream off until somebody switches it on.
func TestRevive(t *testing.T) {
	s := start(t, Options{Dir: t.TempDir()})
	defer s.Stop()
	stream(t, s)
	s.nats.ShutdownJetStream()
	for range 2 {
		if err := s.Revive(); err != nil {
			t.Fatal(err)
		}
	}
	if n := stream(t, s); n != 2 {
		t.Errorf("%d messages", n)
	}
}

func TestWhatTheServerSays(t *testing.T) {
	var b bytes.Buffer
	s := start(t, Options{Dir: t.TempDir(), Log: slog.New(slog.NewTextHandler(&b, nil))})
	stream(t, s)
	s.Stop()
	if b.Len() > 0 {
		t.Errorf("noise: %s", b.String())
	}
	l := &logger{to: slog.New(slog.NewTextHandler(&b, nil))}
	l.Warnf("disk %s", "full")
	l.Fatalf("no %s", "way")
	if !strings.Contains(b.String(), "disk full") || l.fatal().Error() != "no way" {
		t.Errorf("%s, %v", b.String(), l.fatal())
	}
}
