# Wazuh alerts to DFN-CERT: the manager's alerts file -> Windows Event XML and RFC 5424 messages -> Kafka over
# mutual TLS; each delivery, and each failure, is reported back to Wazuh.
#
#   etl run  wazuh-dfn.hcl --var brokers=kafka.example:9093 --var topic=dfn --var ca_file=… --var cert_file=… --var key_file=…
#   etl test wazuh-dfn.hcl

variable "alerts_file" {
  type        = string
  default     = "/var/ossec/logs/alerts/alerts.json"
  description = "The manager's alerts"
}

variable "brokers" {
  type        = list(string)
  description = "Kafka brokers, host:port"
}

variable "topic" {
  type        = string
  description = "Kafka topic that DFN-CERT gave you"
}

variable "ca_file" {
  type        = string
  default     = null
  description = "Certificates of the brokers' authority. No TLS if this, cert_file and key_file are null"
}

variable "cert_file" {
  type        = string
  default     = null
  description = "Your certificate"
}

variable "key_file" {
  type        = string
  default     = null
  description = "Your private key"
}

variable "own_network" {
  type        = list(string)
  default     = []
  description = "Your networks (CIDR). fail2ban alerts about them are not sent"
}

variable "exclude_private" {
  type        = bool
  default     = null
  description = "Drop fail2ban alerts whose address is not public. Default: true exactly when own_network is given"
}

variable "wazuh_socket" {
  type        = string
  default     = "/var/ossec/queue/sockets/queue"
  description = "The manager's queue, which gets the receipts"
}

variable "integration_name" {
  type        = string
  default     = "dfn"
  description = "Name of the receipts' location in Wazuh"
  validation {
    condition     = can(regex("^[^:]+$", var.integration_name))
    error_message = "integration_name must be some text without a colon"
  }
}

variable "failed_alerts_file" {
  type        = string
  default     = "failed-alerts.jsonl" # relative: below the state directory
  description = "Keeps every alert that failed by its own fault"
}

locals {
  exclude_private = coalesce(var.exclude_private, length(var.own_network) > 0)

  windows_events = [
    "1100", "1102", "3697", "4625", "4672", "4697", "4698",
    "4702", "4719", "4720", "4724", "4794", "4964",
  ]
}

# ------------------------------------------------------------------------------------------------------ alerts

source "file" "alerts" {
  path    = var.alerts_file
  profile = "wazuh4"
}

filter "windows" {
  from  = source.file.alerts
  where = "data.win.system.eventID in local.windows_events"
}

filter "fail2ban" {
  from  = source.file.alerts
  where = <<-EXPR
    data.program_name == "fail2ban.actions"
      and data.srcip != nil
      and "fail2ban" in rule.groups
      and not in_cidr(data.srcip, var.own_network)
      and (not local.exclude_private or is_public(data.srcip))
  EXPR
}

# ---------------------------------------------------------------------------------------------------- messages

transform "lua" "windows_event" {
  from   = filter.windows
  script = "lua/dfn_windows.lua"
}

transform "lua" "syslog_message" {
  from   = filter.fail2ban
  script = "lua/dfn_syslog.lua"
}

# ---------------------------------------------------------------------------------------------------- delivery

sink "kafka" "dfn" {
  from    = [transform.lua.windows_event, transform.lua.syslog_message]
  brokers = var.brokers
  topic   = var.topic

  tls {
    enabled   = var.ca_file != null || var.cert_file != null || var.key_file != null
    ca_file   = var.ca_file
    cert_file = var.cert_file
    key_file  = var.key_file
  }
}

# Receipts never hold up delivery: a socket that is not there costs receipts, counted, and nothing else.

sink "wazuh" "receipt" {
  from     = sink.kafka.dfn.delivered
  required = false
  errors   = "drop"
  socket   = var.wazuh_socket
  agent    = "{{ origin.agent }}" # "[014] (fs-ochre) 10.61.0.14->" in front of the location
  location = var.integration_name
  payload = {
    integration = var.integration_name
    alert_id    = "{{ origin.id }}"
    agent_name  = "{{ origin.agent.name }}"
    dfn = {
      event_format  = "{{ event_format }}"
      event_id      = "{{ origin.data.win.system.eventID }}"
      win_timestamp = "{{ origin.data.win.system.systemTime }}"
      wz_timestamp  = "{{ origin.timestamp }}"
    }
  }
  queue { when_full = "drop_oldest" }
}

sink "wazuh" "failure" {
  from = [
    transform.lua.windows_event.errors,
    transform.lua.syslog_message.errors,
    sink.kafka.dfn.errors,
  ]
  required = false
  errors   = "drop"
  socket   = var.wazuh_socket
  agent    = "{{ origin.agent }}"
  location = var.integration_name
  payload = {
    integration = var.integration_name
    alert_id    = "{{ origin.id }}"
    agent_name  = "{{ origin.agent.name }}"
    dfn = {
      event_format  = "{{ event_format }}"
      event_id      = "{{ origin.data.win.system.eventID }}"
      win_timestamp = "{{ origin.data.win.system.systemTime }}"
      wz_timestamp  = "{{ origin.timestamp }}"
      error         = "{{ meta.error.message }}"
    }
  }
  queue { when_full = "drop_oldest" }
}

sink "dead_letter" "failed" {
  from      = errors # every .errors output of the pipeline, a line that is no JSON included
  path      = var.failed_alerts_file
  max_bytes = "1GiB"
}
