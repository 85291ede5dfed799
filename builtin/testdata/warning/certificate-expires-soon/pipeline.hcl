source "file" "alerts" { path = "alerts.json" }

sink "kafka" "dfn" {
  from    = source.file.alerts
  brokers = ["localhost:9093"]
  topic   = "dfn"

  tls {
    ca_file   = "ca.pem"
    cert_file = "soon.pem"
    key_file  = "soon.key"
  }
}
