package kafka

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestZstdBatches(t *testing.T) {
	r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	noise := make([]byte, 100<<10)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	z, dst := newZstdBatches(), new(bytes.Buffer)
	for name, c := range map[string]struct {
		batch []byte
		most  int
	}{
		"one byte":                   {[]byte("x"), 30},
		"alike":                      {bytes.Repeat([]byte("one alert and another\n"), 100_000), 1000},
		"noise":                      {noise, len(noise) + 100},
		"noise again, 200 KiB later": {bytes.Join([][]byte{noise, make([]byte, 100<<10), noise}, nil), len(noise) + 5000},
	} {
		dst.Reset() // the client uses it again
		got, codec := z.Compress(dst, c.batch)
		if back, err := r.DecodeAll(got, nil); err != nil || codec != kgo.CodecZstd || len(got) > c.most || !bytes.Equal(back, c.batch) {
			t.Errorf("%s: codec %d, %d bytes of %d, at most %d wanted: %v", name, codec, len(got), len(c.batch), c.most, err)
		}
	}
	if got, codec := z.Compress(dst, noise, kgo.CompressDisableZstd); codec != kgo.CodecNone || !bytes.Equal(got, noise) {
		t.Errorf("for a broker that does not know zstd: codec %d", codec)
	}
}
