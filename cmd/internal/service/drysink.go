package service

import (
	"io"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// DrySink makes doubles of sinks that write what would be sent to out, a JSON
// document a line, and send nothing.
func DrySink(out io.Writer) func(*plan.Node) component.Sink { return newDryRun(out).sink }
