source "file" "alerts" { path = "alerts.json" }

sink "nats" "x" {
  from      = source.file.alerts
  url       = "nats://localhost:4222"
  subject   = "x"
  token     = "a"
  nkey_file = "pipeline.hcl"
}
