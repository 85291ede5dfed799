# What agent-status.hcl publishes. The keys in testdata/agents are for these tests, and for nothing else.

# --------------------------------------------------------------------------------------------------- subjects

test "a lost agent is told on two subjects and in a batch" {
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" { file = "testdata/agents/disconnected.json" }
  expect "sink.nats.status" {
    count  = 1
    golden = "testdata/agents/disconnected.json"
    where  = "meta.sink.subject == 'wazuh.agent.001.status'"
  }
  expect "sink.nats.connections" {
    count  = 1
    golden = "testdata/agents/disconnected.json"
    where  = "meta.sink.subject == 'wazuh.agent.001.disconnected'"
  }
  expect "sink.nats.batches" {
    count  = 1
    golden = "testdata/agents/golden/batch.json"
    where  = "meta.sink.subject == 'wazuh.security.agent_events'"
  }
  ignore = ["sink.file.audit"]
}

test "so is one that is back" {
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" {
    event = { event_type = "connected", event_id = "e1", agent_id = "001", manager_node = "m", previous_status = "Disconnected", current_status = "Active" }
  }
  expect "sink.nats.status" { where = "meta.sink.subject == 'wazuh.agent.001.status'" }
  expect "sink.nats.connections" { where = "meta.sink.subject == 'wazuh.agent.001.connected'" }
  ignore = ["sink.nats.batches", "sink.file.audit"]
}

test "any other change has one subject" {
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" {
    event = [
      for type in ["registered", "removed", "status_change"] :
      { event_type = type, event_id = type, agent_id = "007", manager_node = "m", status_code = 0 }
    ]
  }
  expect "sink.nats.status" {
    count = 3
    where = "meta.sink.subject == 'wazuh.agent.007.status'"
  }
  expect "sink.nats.connections" { count = 0 }
  expect "sink.nats.batches" { where = "summary.changes_detected == 3" }
  ignore = ["sink.file.audit"]
}

test "a snapshot is no change" {
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" {
    event = { event_type = "snapshot", event_id = "e1", agent_id = "001", manager_node = "m", current_status = "Active" }
  }
  expect "sink.nats.snapshots" {
    count = 1
    where = "meta.sink.subject == 'wazuh.agent.001.snapshot'"
  }
  expect "sink.nats.status" { count = 0 }
  expect "sink.nats.batches" { count = 0 }
  ignore = ["sink.file.audit"]
}

test "a heartbeat is the manager's" {
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" { file = "testdata/agents/heartbeat.json" }
  expect "sink.nats.heartbeats" {
    count  = 1
    golden = "testdata/agents/heartbeat.json"
    where  = "meta.sink.subject == 'wazuh.manager.wazuh-manager-01.heartbeat'"
  }
  expect "sink.nats.batches" { count = 0 }
  ignore = ["sink.file.audit"]
}

test "the prefix is the operator's, and no name changes the structure of a subject" {
  vars = { subject_prefix = "soc.wazuh" }
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" {
    event = { event_type = "heartbeat", event_id = "e1", manager_node = "wazuh.example.org >" }
  }
  expect "sink.nats.heartbeats" { where = "meta.sink.subject == 'soc.wazuh.manager.wazuh%2Eexample%2Eorg%20%3E.heartbeat'" }
  ignore = ["sink.file.audit"]
}

# ---------------------------------------------------------------------------------------------------- batches

test "a batch has the changes of one second and of one manager, and the fleet as the last one left it" {
  vars = { managers = { east = { database = "/east.db" }, west = { socket = "/var/ossec/queue/db/wdb" } } }
  input "source.wazuh_agents.fleet[\"east\"]" {
    event = [
      { event_type = "connected", event_id = "e1", agent_id = "001", manager_node = "east", status_code = 0, fleet = { total_agents = 9, active_agents = 6, disconnected_agents = 3 } },
      { event_type = "connected", event_id = "e2", agent_id = "002", manager_node = "east", status_code = 0, timestamp = "2026-05-28T10:35:00Z", fleet = { total_agents = 9, active_agents = 7, disconnected_agents = 2 } },
    ]
  }
  input "source.wazuh_agents.fleet[\"west\"]" {
    event = { event_type = "connected", event_id = "w1", agent_id = "001", manager_node = "west", status_code = 0, fleet = { total_agents = 1, active_agents = 1, disconnected_agents = 0 } }
  }
  input "source.wazuh_agents.fleet[\"east\"]" {
    after = "1s"
    event = { event_type = "disconnected", event_id = "e3", agent_id = "001", manager_node = "east", status_code = 4, fleet = { total_agents = 9, active_agents = 6, disconnected_agents = 3 } }
  }
  expect "sink.nats.batches" {
    count = 3
    where = <<-EXPR
      batch_id startsWith "batch_" and manager_node == events[0].manager_node and (
        map(events, .event_id) == ["e1", "e2"] and timestamp == "2026-05-28T10:35:00Z"
          and summary == {"total_agents": 9, "active_agents": 7, "disconnected_agents": 2, "changes_detected": 2}
        or map(events, .event_id) == ["w1"] and summary.total_agents == 1
        or map(events, .event_id) == ["e3"] and summary.disconnected_agents == 3
      )
    EXPR
  }
  expect "sink.nats.status" { count = 4 }
  ignore = ["sink.nats.connections", "sink.file.audit"]
}

test "the same change is published once" {
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" { file = "testdata/agents/disconnected.json" }
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" {
    after = "59m"
    file  = "testdata/agents/disconnected.json"
  }
  expect "sink.nats.status" { count = 1 }
  expect "sink.nats.connections" { count = 1 }
  expect "sink.nats.batches" { count = 1 }
  ignore = ["sink.file.audit"]
}

# ---------------------------------------------------------------------------------------------- many at a time

test "a restart of the manager is one event, and what comes of it can be told from a loss" {
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" {
    event = [
      for id in range(1000) :
      { event_type = "snapshot", event_id = "s${id}", agent_id = format("%03d", id + 1), manager_node = "m" }
    ]
  }
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" {
    after = "1h"
    event = { event_type = "manager_restart", event_id = "r1", manager_node = "m", agents = 1000 }
  }
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" {
    event = [
      for id in range(1000) :
      { event_type = "disconnected", event_id = "d${id}", agent_id = format("%03d", id + 1), manager_node = "m", status_code = 5, manager_restart = "r1" }
    ]
  }
  expect "transform.map.anomaly" { count = 0 }
  expect "filter.suppressed.rejected" { count = 1001 }
  expect "sink.nats.connections" {
    count = 1000
    where = "manager_restart == 'r1'"
  }
  expect "sink.nats.batches" {
    count = 3
    where = "count(events, .event_type == 'manager_restart') + summary.changes_detected == len(events) and len(events) in [500, 1]"
  }
  ignore = ["sink.nats.status", "sink.nats.snapshots", "sink.file.audit"]
}

test "a fifth of the fleet is lost" {
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" {
    event = [
      for id in range(40) :
      { event_type = "snapshot", event_id = "s${id}", agent_id = format("%03d", id), manager_node = "east" }
    ]
  }
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" {
    after = "1h"
    event = [
      for id in range(12) :
      { event_type = "disconnected", event_id = "d${id}", agent_id = format("%03d", id), manager_node = "east", status_code = 4 }
    ]
  }
  expect "transform.map.anomaly" {
    count = 1
    where = "anomaly == 'share' and count == 9 and fleet == 40 and manager_node == 'east' and event_id != nil and has(signature)"
  }
  expect "sink.nats.batches" {
    count = 1
    where = "len(events) == 13 and count(events, .event_type == 'anomaly') == 1 and summary.changes_detected == 12"
  }
  expect "sink.nats.status" { count = 12 }
  ignore = ["sink.nats.connections", "sink.nats.snapshots", "sink.file.audit"]
}

test "a manager loses more agents than it is used to" {
  now = "2026-05-28T10:00:00Z"
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" {
    event = [{ event_type = "disconnected", event_id = "a", agent_id = "001", manager_node = "east", status_code = 4 }]
  }
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" {
    after = "2h"
    event = [
      for id in range(30) :
      { event_type = "disconnected", event_id = "d${id}", agent_id = format("%03d", id), manager_node = "east", status_code = 4 }
    ]
  }
  expect "transform.anomaly.unusual" {
    count = 1
    where = "anomaly == 'history' and key == 'east' and windows == 12"
  }
  expect "transform.map.anomaly" { where = "manager_node == 'east' and timestamp == '2026-05-28T12:00:00.000Z'" }
  ignore = ["sink.nats.status", "sink.nats.connections", "sink.nats.batches", "sink.file.audit"]
}

test "an agent that flaps is told of in moderation, with the number and the end of it" {
  now = "2026-05-28T10:00:00Z"
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" {
    event = [
      for n in range(25) :
      { event_type = n % 2 == 0 ? "disconnected" : "connected", event_id = "n${n}", agent_id = "001", agent_name = "web", manager_node = "m", previous_status = n % 2 == 0 ? "Active" : "Disconnected", current_status = n % 2 == 0 ? "Disconnected" : "Active", status_code = 0, flaps = n + 1 }
    ]
  }
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" {
    event = { event_type = "connected", event_id = "other", agent_id = "002", manager_node = "m", status_code = 0 }
  }
  expect "sink.nats.connections" { count = 11 }
  expect "sink.nats.status" {
    count = 12
    where = <<-EXPR
      event_type != "suppressed" or suppressed == 15 and agent_id == "001" and agent_name == "web" and manager_node == "m"
        and previous_status == "Active" and current_status == "Disconnected" and flaps == 25 and timestamp == "2026-05-28T10:00:00Z"
        and event_id == "n10/transform.throttle.flapping" and example == nil and meta.sink.subject == "wazuh.agent.001.status"
    EXPR
  }
  expect "transform.map.suppressed" { count = 1 }
  expect "sink.nats.batches" { # what is told at the end of the burst comes into the batch of the others, or into the next
    where = "summary.changes_detected in [11, 15, 26]"
  }
  ignore = ["sink.file.audit"]
}

test "a burst whose end was published does not say how it ended" {
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" {
    event = [
      for n in range(11) :
      { event_type = "disconnected", event_id = "n${n}", agent_id = "001", manager_node = "m", current_status = "Disconnected" }
    ]
  }
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" {
    after = "10s"
    event = { event_type = "connected", event_id = "last", agent_id = "001", manager_node = "m", current_status = "Active" }
  }
  expect "sink.nats.status" {
    count = 12
    where = "event_type != 'suppressed' or suppressed == 1 and current_status == 'Disconnected'"
  }
  ignore = ["sink.nats.connections", "sink.nats.batches", "sink.file.audit"]
}

# ------------------------------------------------------------------------------------- signature and encryption

test "every message is signed when there is a key" {
  vars = { signing_key = "testdata/agents/signing.key" }
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" { file = "testdata/agents/*.json" }
  expect "sink.nats.status" { golden = "testdata/agents/golden/signed.json" }
  expect "sink.nats.connections" { where = "signature != nil and key_id != nil and agent_name != nil" }
  expect "sink.nats.batches" { where = "signature != nil and key_id != nil and events[0].signature == nil" }
  expect "sink.nats.heartbeats" { where = "signature != nil and key_id != nil" }
  ignore = ["sink.file.audit"]
}

test "Ed25519 signs too" {
  vars = { signing_key = "testdata/agents/signing.pem", signing_method = "ed25519" }
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" { file = "testdata/agents/disconnected.json" }
  expect "sink.nats.status" { golden = "testdata/agents/golden/signed-ed25519.json" }
  ignore = ["sink.nats.connections", "sink.nats.batches", "sink.file.audit"]
}

test "every message is encrypted when there is a key, and still finds its subject" {
  vars = { encryption_key = "testdata/agents/encryption.key" }
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" { file = "testdata/agents/*.json" }
  expect "sink.nats.status" {
    count = 1
    where = <<-EXPR
      keys(event) == ["schema_version", "event_id", "event_type", "timestamp", "manager_node", "agent_id", "encrypted"]
        and encrypted.alg == "A256GCM" and meta.sink.subject == "wazuh.agent.001.status"
    EXPR
  }
  expect "sink.nats.connections" { where = "encrypted != nil and agent_name == nil and meta.sink.subject endsWith '.001.disconnected'" }
  expect "sink.nats.batches" { where = "keys(event) == ['schema_version', 'batch_id', 'event_type', 'timestamp', 'manager_node', 'encrypted']" }
  expect "sink.nats.heartbeats" { where = "encrypted != nil and manager == nil" }
  ignore = ["sink.file.audit"]
}

test "what is encrypted is signed as it is sent" {
  vars = { encryption_key = "testdata/agents/encryption.key", signing_key = "testdata/agents/signing.key" }
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" { file = "testdata/agents/disconnected.json" }
  expect "sink.nats.status" { where = "encrypted != nil and signature != nil and key_id != encrypted.kid" }
  ignore = ["sink.nats.connections", "sink.nats.batches", "sink.file.audit"]
}

# -------------------------------------------------------------------------------------------------- audit log

test "the audit log has a line for each message that the stream has" {
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" { file = "testdata/agents/*.json" }
  mock "sink.nats.status" { set = { stream = "WAZUH", sequence = 7 } }
  expect "sink.file.audit" {
    count = 4
    where = <<-EXPR
      let line = fromJSON(meta.sink.payload);
      line.time != nil and len(line.sha256) == 64 and (
        line.subject == "wazuh.agent.001.status" and line.stream == "WAZUH" and line.sequence == 7 and line.id == event_id
        or line.subject == "wazuh.agent.001.disconnected" and line.id == event_id
        or line.subject == "wazuh.security.agent_events" and line.id == batch_id
        or line.subject == "wazuh.manager.wazuh-manager-01.heartbeat" and line.id == event_id
      )
    EXPR
  }
  ignore = ["sink.nats.status", "sink.nats.connections", "sink.nats.batches", "sink.nats.heartbeats"]
}

test "core NATS stores nothing, and says so" {
  vars = { jetstream = false, compression = "zstd" }
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" { file = "testdata/agents/heartbeat.json" }
  expect "sink.nats.heartbeats" { count = 1 }
  expect "sink.file.audit" { where = "meta.sink.payload contains '\"stream\":null,\"sequence\":null,'" }
}

test "what NATS refuses is not in the audit log" {
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" { file = "testdata/agents/disconnected.json" }
  mock "sink.nats.status" { error = "too large" }
  mock "sink.nats.batches" { error = "too large" }
  expect "sink.nats.status.errors" { count = 1 }
  expect "sink.nats.batches.errors" { count = 1 }
  expect "sink.file.audit" {
    count = 1
    where = "fromJSON(meta.sink.payload).subject endsWith '.disconnected'"
  }
  ignore = ["sink.nats.connections"]
}

test "there may be no audit log" {
  vars = { audit_file = null }
  input "source.wazuh_agents.fleet[\"wazuh-manager-01\"]" { file = "testdata/agents/heartbeat.json" }
  expect "sink.nats.heartbeats" { count = 1 }
}
