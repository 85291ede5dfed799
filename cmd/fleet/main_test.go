//go:build integration

// Package fleet holds pipelines/agent-status.hcl to its promises: the real
// program between a database that another process writes as wazuh-db does and a
// real NATS server with JetStream, which wants mutual TLS and a JWT.
//
//	go test -tags integration ./cmd/fleet -v
package fleet

import (
	"testing"

	"github.com/wazuh-etl/etl/testdata/manager"
)

func TestMain(m *testing.M) {
	manager.Main()
	m.Run()
}
