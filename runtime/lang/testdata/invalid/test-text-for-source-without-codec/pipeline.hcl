source "generate" "alerts" {}

sink "stdout" "out" { from = source.generate.alerts }

test "something" {
  input "source.generate.alerts" { text = "x" }
}
