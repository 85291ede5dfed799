package worldtest

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// file is a handle of a node.
type file struct {
	fs     *FS
	node   *node
	name   string
	flag   int
	at     int64
	epoch  int
	closed bool
}

// begin locks the file system for an operation on the handle.
func (h *file) begin(op Op) error {
	h.fs.mu.Lock()
	if h.closed || h.epoch != h.fs.epoch {
		return fs.ErrClosed
	}
	return h.fs.check(op, h.name)
}

func (h *file) error(op string, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return pathError(op, h.name, err)
}

func (h *file) Name() string { return h.name }

func (h *file) Close() error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if h.closed {
		return h.error("close", fs.ErrClosed)
	}
	h.closed = true
	if h.epoch == h.fs.epoch {
		if h.fs.open[h.node]--; h.fs.open[h.node] == 0 {
			delete(h.fs.open, h.node)
		}
	}
	return nil
}

func (h *file) Stat() (fs.FileInfo, error) {
	err := h.begin(OpStat)
	defer h.fs.mu.Unlock()
	if err != nil {
		return nil, h.error("stat", err)
	}
	return h.node.info(h.name), nil
}

func (h *file) Read(p []byte) (int, error) {
	err := h.begin(OpRead)
	defer h.fs.mu.Unlock()
	if err != nil {
		return 0, h.error("read", err)
	}
	n, err := h.readAt(p, h.at)
	h.at += int64(n)
	return n, err
}

func (h *file) ReadAt(p []byte, at int64) (int, error) {
	err := h.begin(OpRead)
	defer h.fs.mu.Unlock()
	if err != nil {
		return 0, h.error("read", err)
	}
	n, err := h.readAt(p, at)
	if n < len(p) && err == nil {
		err = io.EOF
	}
	return n, err
}

func (h *file) readAt(p []byte, at int64) (int, error) {
	if h.node.mode.IsDir() {
		return 0, h.error("read", syscall.EISDIR)
	}
	if at >= int64(len(h.node.data)) {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	return copy(p, h.node.data[at:]), nil
}

func (h *file) Write(p []byte) (int, error) {
	err := h.begin(OpWrite)
	defer h.fs.mu.Unlock()
	if h.flag&(os.O_WRONLY|os.O_RDWR) == 0 {
		err = syscall.EBADF
	}
	n := len(p)
	if short := (ShortWrite{}); errors.As(err, &short) {
		n = min(n, short.Bytes)
	} else if err != nil {
		return 0, h.error("write", err)
	}
	if h.flag&os.O_APPEND != 0 {
		h.at = int64(len(h.node.data))
	}
	if grown := h.at + int64(n) - int64(len(h.node.data)); h.fs.space >= 0 && grown > h.fs.space {
		n, err = n-int(grown-h.fs.space), syscall.ENOSPC
	}
	if end := h.at + int64(n); end > int64(len(h.node.data)) {
		h.fs.resize(h.node, end)
	}
	copy(h.node.data[h.at:], p[:n])
	h.at += int64(n)
	h.node.modified = time.Now()
	if n > 0 {
		h.fs.wrote(h.node)
	}
	return n, h.error("write", err)
}

func (h *file) Seek(offset int64, whence int) (int64, error) {
	err := h.begin(OpRead)
	defer h.fs.mu.Unlock()
	if err != nil {
		return 0, h.error("seek", err)
	}
	switch whence {
	case io.SeekCurrent:
		offset += h.at
	case io.SeekEnd:
		offset += int64(len(h.node.data))
	}
	if offset < 0 {
		return 0, h.error("seek", syscall.EINVAL)
	}
	h.at = offset
	return offset, nil
}

func (h *file) Sync() error {
	err := h.begin(OpSync)
	defer h.fs.mu.Unlock()
	if err != nil {
		return h.error("sync", err)
	}
	h.node.synced = append([]byte(nil), h.node.data...)
	return nil
}

func (h *file) Truncate(size int64) error {
	err := h.begin(OpTruncate)
	defer h.fs.mu.Unlock()
	if err != nil {
		return h.error("truncate", err)
	}
	h.fs.resize(h.node, size)
	h.fs.wrote(h.node)
	return nil
}

// resize makes a file longer, with zeros, or shorter, and accounts for it.
func (f *FS) resize(n *node, size int64) {
	if f.space >= 0 {
		f.space = max(0, f.space+int64(len(n.data))-size)
	}
	if size <= int64(len(n.data)) {
		clear(n.data[size:])
		n.data = n.data[:size]
	} else {
		n.data = append(n.data, make([]byte, size-int64(len(n.data)))...)
	}
	n.modified = time.Now()
}
