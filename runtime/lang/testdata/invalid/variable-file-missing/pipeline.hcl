#! --var-file testdata/invalid/variable-file-missing/values.vars
source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }
