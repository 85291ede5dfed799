source "file" "alerts" { path = "alerts.json" }

transform "sign" "x" {
  from          = source.file.alerts
  key_file      = "key.pem"
  key_id_member = "signature"
}

sink "stdout" "out" { from = transform.sign.x }
