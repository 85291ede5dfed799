#! --var-file testdata/invalid/variable-file-with-block/values.vars
source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }
