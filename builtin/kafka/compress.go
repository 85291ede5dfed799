package kafka

import (
	"bytes"
	"slices"

	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kgo"
)

// zstdBatches compresses batches with zstd at its fastest level. The client would do so too, but with a window of
// 64 KiB, in which fewer of a batch's likenesses are found, and a checksum that the batch has of its own. Brokers that
// don't know zstd get what is not compressed.
type zstdBatches struct{ *zstd.Encoder }

// newZstdBatches makes one for a client, which may write to several brokers at the same time.
func newZstdBatches() zstdBatches {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(256<<10),
		zstd.WithEncoderCRC(false), zstd.WithZeroFrames(true), zstd.WithEncoderConcurrency(2))
	if err != nil {
		panic(err) // of these options, none
	}
	return zstdBatches{w}
}

// Compress implements kgo.Compressor.
func (z zstdBatches) Compress(dst *bytes.Buffer, src []byte, flags ...kgo.CompressFlag) ([]byte, kgo.CompressionCodecType) {
	if slices.Contains(flags, kgo.CompressDisableZstd) {
		return src, kgo.CodecNone
	}
	dst.Grow(len(src) / 8) // of alerts it is less; what is more gets its room as it comes
	return z.EncodeAll(src, dst.AvailableBuffer()), kgo.CodecZstd
}
