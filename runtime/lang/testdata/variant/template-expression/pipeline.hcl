locals { prefix = "dfn" }

source "file" "alerts" { path = "alerts.json" }

sink "kafka" "dfn" {
  from    = source.file.alerts
  brokers = ["k:9092"]
  topic   = "${local.prefix}-{{ agent.name + }}"
}
