// Command etl runs alert pipelines around a Wazuh manager.
package main

import (
	"github.com/wazuh-etl/etl/builtin"
	"github.com/wazuh-etl/etl/cmd"
)

func main() { cmd.Main(builtin.Specs()) }
