source "file" "alerts" { path = "alerts.json" }

transform "encrypt" "x" {
  from     = source.file.alerts
  key_file = "key.pem"
  keep     = ["id", "encrypted"]
}

sink "stdout" "out" { from = transform.encrypt.x }
