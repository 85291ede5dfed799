package kafka

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// The next request is written when the answer to the one before has been read
// whole, however it was cut; and a connection that is closed holds up nobody.
func TestOneRequestAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g gate
		broker, ours := net.Pipe()
		conn, err := g.dial(func(context.Context, string, string) (net.Conn, error) { return ours, nil })(t.Context(), "tcp", "")
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan string, 3)
		go func() {
			defer close(got)
			p := make([]byte, 10)
			for {
				n, err := broker.Read(p)
				if err != nil {
					return
				}
				got <- string(p[:n])
			}
		}()
		ended := make(chan error, 1)
		go func() {
			for _, request := range []string{"one", "two", "three"} {
				_ = conn.SetWriteDeadline(time.Now().Add(writing)) // as the client does
				if _, err := conn.Write([]byte(request)); err != nil {
					ended <- err
					return
				}
			}
			ended <- nil
		}()
		go func() { _, _ = io.Copy(io.Discard, conn) }()
		defer broker.Close()
		defer conn.Close()

		want := func(what string) {
			t.Helper()
			synctest.Wait()
			select {
			case request := <-got:
				if request != what {
					t.Fatalf("the broker got %q, want %q", request, what)
				}
			default:
				if what != "" {
					t.Fatalf("the broker did not get %q", what)
				}
			}
		}
		want("one")
		time.Sleep(time.Minute) // longer than the client lets a write take
		for _, part := range []string{"\x00", "\x00\x00\x05", "ans", "w"} {
			_, _ = broker.Write([]byte(part))
			want("")
		}
		_, _ = broker.Write([]byte("e"))
		want("two")
		conn.Close()
		if err := <-ended; err == nil {
			t.Error("a request was written to a connection that is closed")
		}
	})
}

func TestFrames(t *testing.T) {
	for _, c := range []struct {
		parts []string
		want  []bool
	}{
		{[]string{"\x00\x00\x00\x01a"}, []bool{true}},
		{[]string{"\x00\x00\x00\x00"}, []bool{true}},
		{[]string{"\x00\x00\x00\x01", "a"}, []bool{false, true}},
		{[]string{"\x00\x00\x00\x01a\x00\x00", "\x00\x02a", "b"}, []bool{true, false, true}},
		{[]string{"\x00\x00\x01\x00", "a"}, []bool{false, false}},
		{[]string{""}, []bool{false}},
	} {
		var f frames
		for i, part := range c.parts {
			if got := f.end([]byte(part)); got != c.want[i] {
				t.Errorf("%q: part %d: %v, want %v", c.parts, i, got, c.want[i])
			}
		}
	}
}

// An answer ends with its last byte, wherever the network cuts it.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("answer"), []byte("next"), uint8(3))
	f.Add([]byte(""), []byte("x"), uint8(1))
	f.Fuzz(func(t *testing.T, a, b []byte, cut uint8) {
		var stream []byte
		ends := map[int]bool{}
		for _, answer := range [][]byte{a, b} {
			stream = binary.BigEndian.AppendUint32(stream, uint32(len(answer)))
			stream = append(stream, answer...)
			ends[len(stream)] = true
		}
		var frames frames
		for from := 0; from < len(stream); {
			to := min(from+1+int(cut), len(stream))
			want := false
			for at := from + 1; at <= to; at++ {
				want = want || ends[at]
			}
			if got := frames.end(stream[from:to]); got != want {
				t.Fatalf("an answer ends in [%d, %d): %v, want %v", from, to, got, want)
			}
			from = to
		}
	})
}
