# The agents of one or more Wazuh managers to NATS: who comes and goes, on a subject for each agent; all changes with a
# summary; and the managers' heartbeats. Signed and encrypted when there are keys, with an audit log.
#
#   etl run  agent-status.hcl --var nats_url=nats://nats.example:4222
#   etl test agent-status.hcl

# --------------------------------------------------------------------------------------------------- variables

variable "managers" {
  type = map(object({
    database = optional(string)
    socket   = optional(string)
    api = optional(object({
      url         = string
      user        = string
      ca_file     = optional(string)
      server_name = optional(string)
    }))
  }))
  default     = { wazuh-manager-01 = { database = "/var/ossec/queue/db/global.db" } }
  description = "Managers by their names in events, each with one way to read its agents: database, socket (/var/ossec/queue/db/wdb) or api"
  validation {
    condition     = try(length(var.managers), 0) > 0
    error_message = "there is no manager: write at least one, as { NAME = { database = \"/var/ossec/queue/db/global.db\" } }"
  }
  validation {
    condition     = length([for way in try(values(var.managers), []) : way if length([for w in [try(way.database, null), try(way.socket, null), try(way.api, null)] : w if w != null]) != 1]) == 0
    error_message = "${join(", ", [for name, m in var.managers : name if length([for w in [try(m.database, null), try(m.socket, null), try(m.api, null)] : w if w != null]) != 1])}: a manager has exactly one of database, socket and api"
  }
}

variable "api_passwords" {
  type        = map(string)
  default     = {}
  sensitive   = true
  description = "Password of the API's user, by manager"
}

variable "poll_interval" {
  type        = string
  default     = "5s"
  description = "How often a manager is asked. A database is also read at each commit"
}

variable "snapshot_interval" {
  type        = string
  default     = "1h"
  description = "How often all agents are told, changed or not"
}

variable "heartbeat_interval" {
  type        = string
  default     = "30s"
  description = "How often a manager's health is told"
}

variable "nats_url" {
  type        = list(string)
  default     = ["nats://127.0.0.1:4222"]
  description = "Servers of one NATS cluster; tls:// encrypts"
}

variable "nats_creds" {
  type        = string
  default     = null
  description = "Credentials file: JWT and NKey seed"
}

variable "nats_nkey" {
  type        = string
  default     = null
  description = "NKey seed file, where there are no credentials"
}

variable "nats_ca" {
  type        = string
  default     = null
  description = "Certificates of the servers' authority. With any of the three, TLS is demanded"
}

variable "nats_cert" {
  type        = string
  default     = null
  description = "Your certificate, for servers that ask for one"
}

variable "nats_key" {
  type        = string
  default     = null
  description = "The private key of your certificate"
}

variable "subject_prefix" {
  type        = string
  default     = "wazuh"
  description = "What all subjects begin with"
  validation {
    condition     = can(regex("^[^.*>[:space:]]+([.][^.*>[:space:]]+)*$", var.subject_prefix))
    error_message = "subject_prefix must be one or more names with dots between them, without blanks, * and >"
  }
}

variable "jetstream" {
  type        = bool
  default     = true
  description = "Whether a JetStream stream has to store each message; false: core NATS"
}

variable "compression" {
  type        = string
  default     = null
  description = "zstd or gzip compresses each message"
  validation {
    condition     = contains(["zstd", "gzip"], coalesce(var.compression, "zstd"))
    error_message = "compression must be zstd or gzip, or null"
  }
}

variable "signing_key" {
  type        = string
  default     = null
  description = "File with the key that signs every message. Unsigned if null"
}

variable "signing_method" {
  type        = string
  default     = "hmac-sha256"
  description = "hmac-sha256, or ed25519"
}

variable "encryption_key" {
  type        = string
  default     = null
  description = "File with the key that encrypts every message. Readable if null"
}

variable "agent_rate" {
  type        = string
  default     = "6/m"
  description = "How many changes of one agent are published in the long run"
}

variable "audit_file" {
  type        = string
  default     = "audit.jsonl" # relative: below the state directory
  description = "One line for every message that NATS has taken. None if null"
  validation {
    condition     = var.audit_file != ""
    error_message = "audit_file is empty: null means none, and only a --var-file can say null"
  }
}

# 10,000 agents fit into 50 MiB, of which the program itself takes 30. Changes that have to wait do so in the state directory.
runtime { memory = "44MiB" }

# ------------------------------------------------------------------------------------------------------ agents

source "wazuh_agents" "fleet" {
  for_each           = var.managers
  id                 = "{{ event_id }}"
  manager_node       = each.key
  database           = each.value.database
  socket             = each.value.socket
  poll_interval      = var.poll_interval
  snapshot_interval  = var.snapshot_interval
  heartbeat_interval = var.heartbeat_interval

  api {
    enabled     = each.value.api != null
    url         = try(each.value.api.url, null)
    user        = try(each.value.api.user, null)
    password    = try(var.api_passwords[each.key], null)
    ca_file     = try(each.value.api.ca_file, null)
    server_name = try(each.value.api.server_name, null)
  }
}

filter "heartbeats" {
  from  = source.wazuh_agents.fleet
  where = "event_type == 'heartbeat'"
}

filter "snapshots" {
  from  = filter.heartbeats.rejected
  where = "event_type == 'snapshot'"
}

# The same change told twice is published once.

transform "dedupe" "changes" {
  from   = filter.snapshots.rejected
  key    = "{{ event_id }}"
  window = "1h"
}

# An agent that flaps does not drown the others: what is too much of it becomes one event with the number.

transform "throttle" "flapping" {
  from  = transform.dedupe.changes
  key   = "{{ manager_node }}/{{ agent_id }}"
  rate  = var.agent_rate
  burst = 10
}

filter "suppressed" {
  from  = transform.throttle.flapping
  where = "event_type == 'suppressed'"
}

transform "map" "suppressed" {
  from = filter.suppressed
  set = {
    schema_version  = "1.0"
    event_id        = "{{ meta.id }}"
    timestamp       = "{{ last }}"
    manager_node    = "{{ example.manager_node }}"
    agent_id        = "{{ example.agent_id }}"
    agent_name      = "{{ example.agent_name }}"
    previous_status = "{{ example.previous_status }}"
    current_status  = "{{ latest.current_status }}" # null if a later change was published
    flaps           = "{{ latest.flaps ?? example.flaps }}"
    fleet           = "{{ latest.fleet ?? example.fleet }}"
    signature       = null
  }
  remove = ["component", "key", "example", "latest"]
}

# --------------------------------------------------------------------------------------------------- anomalies

transform "anomaly" "outage" {
  from     = [filter.snapshots, transform.dedupe.changes]
  key      = "{{ agent_id }}/{{ manager_node }}"
  match    = "{{ event_type == 'disconnected' and manager_restart == nil }}"
  window   = "10m"
  max_keys = 100000 # agents
  share {
    above    = 0.2
    at_least = 5
  }
}

transform "anomaly" "unusual" {
  from   = transform.dedupe.changes
  key    = "{{ manager_node }}"
  match  = "{{ event_type == 'disconnected' and manager_restart == nil }}"
  window = "10m"
  history {
    deviations = 4
  }
}

transform "map" "anomaly" {
  from = [transform.anomaly.outage, transform.anomaly.unusual]
  set = {
    schema_version = "1.0"
    event_id       = "{{ meta.id }}"
    timestamp      = "{{ format_time(now(), '%Y-%m-%dT%H:%M:%S.%LZ') }}"
    manager_node   = "{{ key ?? split(last(keys), '/', 2)[1] }}"
    signature      = null
  }
  remove = ["component", "key"]
}

# ---------------------------------------------------------------------------------------------------- messages

transform "batch" "changes" {
  from       = [filter.suppressed.rejected, transform.map.suppressed, transform.map.anomaly]
  key        = "{{ manager_node }}"
  max_events = 500
  max_wait   = "1s"
}

transform "map" "batch" {
  from = transform.batch.changes
  set = {
    schema_version = "1.0"
    event_type     = "batch"
    batch_id       = "batch_{{ batch_id }}"
    manager_node   = "{{ key }}"
    timestamp      = "{{ last(events).timestamp }}"
    events         = "{{ events }}"
    summary = {
      total_agents        = "{{ findLast(events, .fleet != nil).fleet.total_agents }}"
      active_agents       = "{{ findLast(events, .fleet != nil).fleet.active_agents }}"
      disconnected_agents = "{{ findLast(events, .fleet != nil).fleet.disconnected_agents }}"
      changes_detected    = "{{ count(events, .status_code != nil) + sum(events, .suppressed) }}"
    }
    signature = null
  }
  remove = ["key", "count"]
}

# What stays readable is what routes a message and tells it from others.

transform "encrypt" "messages" {
  from     = [filter.heartbeats, filter.snapshots, filter.suppressed.rejected, transform.map.suppressed, transform.map.batch]
  enabled  = var.encryption_key != null
  key_file = var.encryption_key
  keep     = ["schema_version", "event_id", "batch_id", "event_type", "timestamp", "manager_node", "agent_id"]
}

transform "sign" "messages" {
  from     = transform.encrypt.messages
  enabled  = var.signing_key != null
  key_file = var.signing_key
  method   = var.signing_method
}

# ---------------------------------------------------------------------------------------------------- delivery

connection "nats" "bus" {
  url        = var.nats_url
  creds_file = var.nats_creds
  nkey_file  = var.nats_nkey

  tls {
    enabled   = var.nats_ca != null || var.nats_cert != null || var.nats_key != null
    ca_file   = var.nats_ca
    cert_file = var.nats_cert
    key_file  = var.nats_key
  }
}

filter "agents" {
  from  = transform.sign.messages
  where = "agent_id != nil and event_type != 'snapshot'"
}

sink "nats" "status" {
  from        = filter.agents
  connection  = connection.nats.bus
  jetstream   = var.jetstream
  compression = var.compression
  subject     = "${var.subject_prefix}.agent.{{ agent_id }}.status"
}

filter "connections" {
  from  = filter.agents
  where = "event_type in ['connected', 'disconnected']"
}

sink "nats" "connections" {
  from        = filter.connections
  connection  = connection.nats.bus
  jetstream   = var.jetstream
  compression = var.compression
  subject     = "${var.subject_prefix}.agent.{{ agent_id }}.{{ event_type }}"
}

filter "pictures" {
  from  = transform.sign.messages
  where = "event_type == 'snapshot'"
}

sink "nats" "snapshots" {
  from        = filter.pictures
  connection  = connection.nats.bus
  jetstream   = var.jetstream
  compression = var.compression
  subject     = "${var.subject_prefix}.agent.{{ agent_id }}.snapshot"
}

filter "batches" {
  from  = transform.sign.messages
  where = "event_type == 'batch'"
}

sink "nats" "batches" {
  from        = filter.batches
  connection  = connection.nats.bus
  jetstream   = var.jetstream
  compression = var.compression
  subject     = "${var.subject_prefix}.security.agent_events"
}

filter "beats" {
  from  = transform.sign.messages
  where = "event_type == 'heartbeat'"
}

sink "nats" "heartbeats" {
  from        = filter.beats
  connection  = connection.nats.bus
  jetstream   = var.jetstream
  compression = var.compression
  subject     = "${var.subject_prefix}.manager.{{ manager_node }}.heartbeat"
}

sink "file" "audit" {
  from = [
    sink.nats.status.delivered,
    sink.nats.connections.delivered,
    sink.nats.snapshots.delivered,
    sink.nats.batches.delivered,
    sink.nats.heartbeats.delivered,
  ]
  enabled   = var.audit_file != null
  path      = var.audit_file
  max_bytes = "256MiB"
  payload = {
    time     = "{{ meta.sink.time }}"
    subject  = "{{ meta.sink.subject }}"
    stream   = "{{ meta.sink.stream }}"
    sequence = "{{ meta.sink.sequence }}"
    id       = "{{ event_id ?? batch_id }}"
    sha256   = "{{ sha256(meta.sink.payload) }}"
  }
}
