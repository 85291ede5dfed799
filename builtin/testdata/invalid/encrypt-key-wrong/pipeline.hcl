source "file" "alerts" { path = "alerts.json" }

transform "encrypt" "x" {
  from     = source.file.alerts
  key_file = "pipeline.hcl"
}

sink "stdout" "out" { from = transform.encrypt.x }
