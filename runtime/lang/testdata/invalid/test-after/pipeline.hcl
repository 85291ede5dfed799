source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }

test "time passes" {
  input "source.file.alerts" {
    after = 10
    event = {}
  }
  input "source.file.alerts" {
    after = "10 sec"
    event = {}
  }
  input "source.file.alerts" {
    after = "1000y"
    event = {}
  }
  input "source.file.alerts" {
    after = ["1s"]
    event = {}
  }
  input "source.file.alerts" {
    aftre = "1s"
    event = {}
  }
}
