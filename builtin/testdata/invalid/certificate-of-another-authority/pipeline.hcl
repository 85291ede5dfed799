source "file" "alerts" { path = "alerts.json" }

sink "kafka" "dfn" {
  from    = source.file.alerts
  brokers = ["localhost:9093"]
  topic   = "dfn"

  tls {
    ca_file   = "other-ca.pem"
    cert_file = "cert.pem"
    key_file  = "key.pem"
  }
}
