package state

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Lock keeps other processes out of the state directory path until unlock is
// called or the process ends, however it ends. The error of a second process
// names the first one's pid.
func Lock(path string) (unlock func(), err error) {
	if err := os.MkdirAll(path, 0o750); err != nil {
		return nil, fmt.Errorf("making the state directory: %w", err)
	}
	name := filepath.Join(path, "lock")
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("locking the state directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if err != syscall.EWOULDBLOCK {
			return nil, fmt.Errorf("locking the state directory: %w", err)
		}
		pid, _ := os.ReadFile(name)
		return nil, fmt.Errorf("the state directory %s is in use by process %s: stop it, or choose another with --state-dir", path, strings.TrimSpace(string(pid)))
	}
	// In place, so that it is there on a full disk as well.
	if n, err := fmt.Fprintln(f, os.Getpid()); err == nil {
		_ = f.Truncate(int64(n))
	}
	return func() { f.Close() }, nil
}

// Holder is the pid of the process that works in the state directory path;
// empty if none does. It does not touch the lock: a process that starts at this
// moment must get it.
func Holder(path string) string {
	name := filepath.Join(path, "lock")
	var info syscall.Stat_t
	if syscall.Stat(name, &info) != nil {
		return ""
	}
	content, _ := os.ReadFile(name)
	pid := strings.TrimSpace(string(content))
	locks, _ := os.ReadFile("/proc/locks")
	for line := range strings.Lines(string(locks)) {
		// 1: FLOCK  ADVISORY  WRITE 1234 08:02:5678 0 EOF
		fields := strings.Fields(line)
		if len(fields) > 5 && fields[1] == "FLOCK" && fields[4] == pid && strings.HasSuffix(fields[5], fmt.Sprintf(":%d", info.Ino)) {
			return pid
		}
	}
	return ""
}
