source "file" "alerts" { path = "alerts.json" }

transform "sign" "x" {
  from     = source.file.alerts
  method   = "ed25519"
  key_file = "secret.key"
}

sink "stdout" "out" { from = transform.sign.x }
