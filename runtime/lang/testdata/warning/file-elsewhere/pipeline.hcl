source "file" "alerts" { path = "lang_test.go" }

sink "stdout" "out" { from = source.file.alerts }
