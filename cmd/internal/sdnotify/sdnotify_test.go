package sdnotify

import (
	"net"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

func TestMessages(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	n := New(socket)
	for _, c := range []struct {
		send func() error
		want string
	}{
		{n.Ready, `^READY=1$`},
		{n.Reloading, `^RELOADING=1\nMONOTONIC_USEC=[1-9][0-9]+$`},
		{n.Stopping, `^STOPPING=1$`},
		{func() error { return n.Status("12 read\nREADY=1") }, `^STATUS=12 read READY=1$`},
		{func() error { return n.Extend(30 * time.Second) }, `^EXTEND_TIMEOUT_USEC=30000000$`},
	} {
		if err := c.send(); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 256)
		size, err := conn.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(buf[:size]); !regexp.MustCompile(c.want).MatchString(got) {
			t.Errorf("got %q, want %s", got, c.want)
		}
	}
}

func TestWithoutServiceManager(t *testing.T) {
	for _, n := range []*Notifier{nil, {}, New("")} {
		if err := n.Ready(); err != nil {
			t.Errorf("%v: %v", n, err)
		}
	}
	if err := New(filepath.Join(t.TempDir(), "gone")).Ready(); err == nil {
		t.Error("a socket that is not there: no error")
	}
}
