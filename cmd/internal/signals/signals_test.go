package signals

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "run" || os.Args[1] == "plan") {
		os.Exit(signalled())
	}
	os.Exit(m.Run())
}

// signalled gets a signal before anybody has asked for one.
func signalled() int {
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		return 1
	}
	if os.Args[1] != "run" {
		time.Sleep(time.Minute) // it is gone long before, but not always at once
	}
	s := Listen()
	defer s.Close()
	for _, from := range []<-chan os.Signal{s.Orders, s.Stops} {
		if got := <-from; got != syscall.SIGTERM {
			return 1
		}
	}
	return 0
}

func TestASignalBeforeAnybodyListens(t *testing.T) {
	run := exec.Command(os.Args[0], "run")
	if err := run.Run(); err != nil {
		t.Errorf("etl run: %v", err)
	}
	other := exec.Command(os.Args[0], "plan")
	_ = other.Run()
	if status, ok := other.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGTERM {
		t.Errorf("another command is not ended by a signal: %v", other.ProcessState)
	}
}
