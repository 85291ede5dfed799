package agents

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// The test binary is also the second process that writes databases, see writer_test.go.
func TestMain(m *testing.M) {
	if os.Getenv(writerEnv) != "" {
		os.Exit(write())
	}
	goleak.VerifyTestMain(m)
}
