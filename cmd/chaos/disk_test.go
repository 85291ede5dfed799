//go:build integration

package chaos

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// A full disk is a small tmpfs with a file that takes all of it. To mount one,
// the test binary runs itself again in a mount namespace of its own, and, who is not root,
// in a user namespace too. With the namespace the mounts go, however the tests end.

const inNamespace = "ETL_CHAOS_NAMESPACE"

// smallDisks says whether tmpfs can be mounted here.
var smallDisks bool

// enclose runs this binary again in a namespace and ends with its exit code. It
// returns where it is in one, or where there can't be one.
func enclose() {
	if os.Getenv(inNamespace) != "" {
		smallDisks = syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "") == nil && mountable()
		return
	}
	runtime.LockOSThread() // the thread whose end kills the child
	attributes := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if os.Getuid() != 0 {
		attributes.Cloneflags |= syscall.CLONE_NEWUSER
		attributes.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		attributes.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	again := exec.Command("/proc/self/exe", os.Args[1:]...)
	again.Stdin, again.Stdout, again.Stderr = os.Stdin, os.Stdout, os.Stderr
	again.Env = append(os.Environ(), inNamespace+"=1")
	again.SysProcAttr = attributes
	if err := again.Start(); err != nil {
		runtime.UnlockOSThread()
		return
	}
	var failed *exec.ExitError
	if err := again.Wait(); err != nil && !errors.As(err, &failed) {
		fmt.Fprintln(os.Stderr, "running the tests in a namespace:", err)
		os.Exit(1)
	}
	if code := again.ProcessState.ExitCode(); code >= 0 {
		os.Exit(code)
	}
	os.Exit(1)
}

func mountable() bool {
	dir, err := os.MkdirTemp("", "etl-chaos-")
	if err != nil {
		return false
	}
	defer os.Remove(dir)
	return mount(dir) == nil && syscall.Unmount(dir, syscall.MNT_DETACH) == nil
}

func mount(dir string) error { return syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=24m") }

// disk is a small one.
type disk struct{ dir string }

// newDisk mounts one at dir, until the test ends.
func newDisk(t *testing.T, dir string) *disk {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := mount(dir); err != nil {
		t.Fatal("mounting a small disk: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return &disk{dir}
}

func (d *disk) ballast() string { return filepath.Join(d.dir, "ballast") }

// fill takes all the room there is.
func (d *disk) fill() error {
	f, err := os.Create(d.ballast())
	if err != nil {
		return err
	}
	defer f.Close()
	for piece := make([]byte, 64<<10); len(piece) > 0; {
		if _, err = f.Write(piece); errors.Is(err, syscall.ENOSPC) {
			piece, err = piece[:len(piece)/2], nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// free gives the room back.
func (d *disk) free() error { return os.Remove(d.ballast()) }
