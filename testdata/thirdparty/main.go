// Command etl-loki is etl with one component more, sink "loki".
package main

import (
	"example.com/etl-loki/loki"

	"github.com/wazuh-etl/etl/builtin"
	"github.com/wazuh-etl/etl/cmd"
)

func main() { cmd.Main(append(builtin.Specs(), loki.Specs()...)) }
