source "file" "alerts" { path = "alerts.json" }

sink "nats" "x" {
  from      = source.file.alerts
  url       = "nats://localhost:4222"
  subject   = "x"
  nkey_file = "pipeline.hcl"
}
