package agents

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// largestFrame is the most that wazuh-db takes and sends.
const largestFrame = 1 << 16

// appendFrame appends a request as wazuh-db takes it: its length, 4 bytes
// little endian, and its text.
func appendFrame(dst []byte, request string) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(request))) //nolint:gosec // requests are short
	return append(dst, request...)
}

// readFrame reads an answer into buffer, which is largestFrame long.
func readFrame(r io.Reader, buffer []byte) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint32(length[:])
	if n > uint32(len(buffer)) { //nolint:gosec // it is 64 KiB
		return nil, fmt.Errorf("an answer of %d bytes is none of wazuh-db", n)
	}
	if _, err := io.ReadFull(r, buffer[:n]); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return buffer[:n], nil
}
