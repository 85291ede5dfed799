package cmd

// Exit codes: what a unit file or script can rely on.
const (
	exitDone          = 0
	exitFailed        = 1
	exitConfiguration = 2
	exitAbandoned     = 3
	exitTimeout       = 4
)

const exitCodes = `Exit codes:
  0  done; what is left to deliver is covered by a checkpoint
  1  run-time failure, a test that failed, or (fmt --check) a file that is not formatted
  2  usage or configuration
  3  events abandoned that no checkpoint covers; their count is on the last line
  4  --once ran into --timeout`

// exit is an error with the code that the process ends with. err is nil where
// everything has been said.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// refused is an error of usage or configuration.
func refused(err error) error { return &exit{exitConfiguration, err} }

// failed is a run-time failure.
func failed(err error) error { return &exit{exitFailed, err} }
