// Package builtin is the one list of the components that come with etl.
package builtin

import (
	"slices"

	"github.com/wazuh-etl/etl/builtin/agents"
	"github.com/wazuh-etl/etl/builtin/blackhole"
	"github.com/wazuh-etl/etl/builtin/file"
	"github.com/wazuh-etl/etl/builtin/flow"
	"github.com/wazuh-etl/etl/builtin/generate"
	"github.com/wazuh-etl/etl/builtin/kafka"
	"github.com/wazuh-etl/etl/builtin/lua"
	"github.com/wazuh-etl/etl/builtin/nats"
	"github.com/wazuh-etl/etl/builtin/seal"
	"github.com/wazuh-etl/etl/builtin/stdio"
	"github.com/wazuh-etl/etl/builtin/wazuh"
	"github.com/wazuh-etl/etl/builtin/window"
	"github.com/wazuh-etl/etl/runtime/component"
)

// Specs are all components.
func Specs() []*component.Spec {
	return slices.Concat(
		agents.Specs(),
		blackhole.Specs(),
		file.Specs(),
		flow.Specs(),
		generate.Specs(),
		kafka.Specs(),
		lua.Specs(),
		nats.Specs(),
		seal.Specs(),
		stdio.Specs(),
		wazuh.Specs(),
		window.Specs(),
	)
}
