variable "topic" { default = "a" }

source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }

test "something" {
  vars = { topic = var.topic }
  input "source.file.alerts" { event = {} }
}
