source "file" "alerts" { path = "alerts.json" }

sink "kafka" "dfn" {
  from    = source.file.alerts
  brokers = ["localhost:9093"]
  topic   = "dfn"

  tls {
    ca_file = "pipeline.hcl"
  }
}
