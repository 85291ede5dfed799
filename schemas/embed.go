// Package schemas holds the JSON Schemas (draft 2020-12) of what goes into the
// shipped pipelines and of what comes out of them.
package schemas

import "embed"

// FS has alert.json (a line of a Wazuh manager's alerts file), agent-event.json (what
// source "wazuh_agents" gives), agent-message.json (what agent-status.hcl publishes), dfn-message.json and dfn-receipt.json (what
// wazuh-dfn.hcl sends to Kafka, and reports to Wazuh). Beside them stand the schemas of
// the manager's agent database, for tests.
//
//go:embed *.json
var FS embed.FS
