# What agent-status.hcl publishes.

test "a lost agent is told on two subjects, and with a summary" {
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" { file = "testdata/agents/disconnected.json" }
  expect "sink.nats.status" {
    count = 1
    where = "meta.sink.subject == 'wazuh.agent.001.status' and signature == nil"
  }
  expect "sink.nats.connections" {
    count = 1
    where = "meta.sink.subject == 'wazuh.agent.001.disconnected'"
  }
  expect "sink.nats.batches" {
    count  = 1
    golden = "testdata/agents/batch.json"
  }
  expect "sink.file.audit" { count = 3 }
}
