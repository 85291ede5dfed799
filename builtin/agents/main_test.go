package agents

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/wazuh-etl/etl/testdata/manager"
)

func TestMain(m *testing.M) {
	manager.Main()
	goleak.VerifyTestMain(m)
}
