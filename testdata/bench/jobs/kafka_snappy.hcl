variable "brokers" { type = list(string) }

variable "topic" { type = string }

sink "kafka" "dfn" {
  from    = [transform.lua.windows_event, transform.lua.syslog_message]
  brokers = var.brokers
  topic   = var.topic

  compression = "snappy"
}
