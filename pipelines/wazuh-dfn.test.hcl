# What wazuh-dfn.hcl must make of the example alerts; testdata/alerts/README.md says what each of them shows.

# ------------------------------------------------------------------------------------------- one alert at a time

test "win-4625-with-ip: quotes in a value" {
  input "source.file.alerts" { file = "../testdata/alerts/win-4625-with-ip.json" }
  expect "sink.kafka.dfn" { golden = "../testdata/alerts/expected/win-4625-with-ip.kafka.json" }
  expect "sink.wazuh.receipt" { golden = "../testdata/alerts/expected/win-4625-with-ip.wazuh.txt" }
}

test "win-4625-no-ip: an absent address is told as -" {
  input "source.file.alerts" { file = "../testdata/alerts/win-4625-no-ip.json" }
  expect "sink.kafka.dfn" { golden = "../testdata/alerts/expected/win-4625-no-ip.kafka.json" }
  expect "sink.wazuh.receipt" { golden = "../testdata/alerts/expected/win-4625-no-ip.wazuh.txt" }
}

test "f2b-ban-public: a public IPv4 address is banned" {
  input "source.file.alerts" { file = "../testdata/alerts/f2b-ban-public.json" }
  expect "sink.kafka.dfn" { golden = "../testdata/alerts/expected/f2b-ban-public.kafka.json" }
  expect "sink.wazuh.receipt" { golden = "../testdata/alerts/expected/f2b-ban-public.wazuh.txt" }
}

test "win-4672: a manager in another time zone" {
  input "source.file.alerts" { file = "../testdata/alerts/win-4672.json" }
  expect "sink.kafka.dfn" { golden = "../testdata/alerts/expected/win-4672.kafka.json" }
  expect "sink.wazuh.receipt" { golden = "../testdata/alerts/expected/win-4672.wazuh.txt" }
}

test "win-4719: values that the manager added" {
  input "source.file.alerts" { file = "../testdata/alerts/win-4719.json" }
  expect "sink.kafka.dfn" { golden = "../testdata/alerts/expected/win-4719.kafka.json" }
  expect "sink.wazuh.receipt" { golden = "../testdata/alerts/expected/win-4719.wazuh.txt" }
}

test "win-4720: letters outside ASCII and outside the 16-bit range" {
  input "source.file.alerts" { file = "../testdata/alerts/win-4720.json" }
  expect "sink.kafka.dfn" { golden = "../testdata/alerts/expected/win-4720.kafka.json" }
  expect "sink.wazuh.receipt" { golden = "../testdata/alerts/expected/win-4720.wazuh.txt" }
}

test "win-4724: &, < and > in a name" {
  input "source.file.alerts" { file = "../testdata/alerts/win-4724.json" }
  expect "sink.kafka.dfn" { golden = "../testdata/alerts/expected/win-4724.kafka.json" }
  expect "sink.wazuh.receipt" { golden = "../testdata/alerts/expected/win-4724.wazuh.txt" }
}

test "win-4698: entities and backslashes as the manager leaves them" {
  input "source.file.alerts" { file = "../testdata/alerts/win-4698.json" }
  expect "sink.kafka.dfn" { golden = "../testdata/alerts/expected/win-4698.kafka.json" }
  expect "sink.wazuh.receipt" { golden = "../testdata/alerts/expected/win-4698.wazuh.txt" }
}

test "f2b-unban: an address is no longer banned" {
  input "source.file.alerts" { file = "../testdata/alerts/f2b-unban.json" }
  expect "sink.kafka.dfn" { golden = "../testdata/alerts/expected/f2b-unban.kafka.json" }
  expect "sink.wazuh.receipt" { golden = "../testdata/alerts/expected/f2b-unban.wazuh.txt" }
}

test "win-4698-300kb: a line of 320 KB" {
  input "source.file.alerts" { file = "../testdata/alerts/win-4698-300kb.json" }
  expect "sink.kafka.dfn" { golden = "../testdata/alerts/expected/win-4698-300kb.kafka.json" }
  expect "sink.wazuh.receipt" { golden = "../testdata/alerts/expected/win-4698-300kb.wazuh.txt" }
}

test "win-1102: UserData of a cleared log" {
  input "source.file.alerts" { file = "../testdata/alerts/win-1102.json" }
  expect "sink.kafka.dfn" { golden = "../testdata/alerts/expected/win-1102.kafka.json" }
  expect "sink.wazuh.receipt" { golden = "../testdata/alerts/expected/win-1102.wazuh.txt" }
}

test "win-1100: UserData of a service that stopped" {
  input "source.file.alerts" { file = "../testdata/alerts/win-1100.json" }
  expect "sink.kafka.dfn" { golden = "../testdata/alerts/expected/win-1100.kafka.json" }
  expect "sink.wazuh.receipt" { golden = "../testdata/alerts/expected/win-1100.wazuh.txt" }
}

test "f2b-restore-ban: a log line without the word fail2ban in front" {
  input "source.file.alerts" { file = "../testdata/alerts/f2b-restore-ban.json" }
  expect "sink.kafka.dfn" { golden = "../testdata/alerts/expected/f2b-restore-ban.kafka.json" }
  expect "sink.wazuh.receipt" { golden = "../testdata/alerts/expected/f2b-restore-ban.wazuh.txt" }
}

test "win-4625-invalid-utf8: a byte that is not UTF-8 becomes U+FFFD" {
  input "source.file.alerts" { file = "../testdata/alerts/win-4625-invalid-utf8.json" }
  expect "sink.kafka.dfn" { golden = "../testdata/alerts/expected/win-4625-invalid-utf8.kafka.json" }
  expect "sink.wazuh.receipt" { golden = "../testdata/alerts/expected/win-4625-invalid-utf8.wazuh.txt" }
}

test "f2b-warning-public-ipv6: a public IPv6 address, severity 4" {
  input "source.file.alerts" { file = "../testdata/alerts/f2b-warning-public-ipv6.json" }
  expect "sink.kafka.dfn" { golden = "../testdata/alerts/expected/f2b-warning-public-ipv6.kafka.json" }
  expect "sink.wazuh.receipt" { golden = "../testdata/alerts/expected/f2b-warning-public-ipv6.wazuh.txt" }
}

test "f2b-ban-private: a private address, without an own network" {
  input "source.file.alerts" { file = "../testdata/alerts/f2b-ban-private.json" }
  expect "sink.kafka.dfn" { golden = "../testdata/alerts/expected/f2b-ban-private.kafka.json" }
  expect "sink.wazuh.receipt" { golden = "../testdata/alerts/expected/f2b-ban-private.wazuh.txt" }
}

test "f2b-ban-documentation: a documentation address, without an own network" {
  input "source.file.alerts" { file = "../testdata/alerts/f2b-ban-documentation.json" }
  expect "sink.kafka.dfn" { golden = "../testdata/alerts/expected/f2b-ban-documentation.kafka.json" }
  expect "sink.wazuh.receipt" { golden = "../testdata/alerts/expected/f2b-ban-documentation.wazuh.txt" }
}

test "f2b-ban-own-network: an address of the own network that nobody named" {
  input "source.file.alerts" { file = "../testdata/alerts/f2b-ban-own-network.json" }
  expect "sink.kafka.dfn" { golden = "../testdata/alerts/expected/f2b-ban-own-network.kafka.json" }
  expect "sink.wazuh.receipt" { golden = "../testdata/alerts/expected/f2b-ban-own-network.wazuh.txt" }
}

# --------------------------------------------------------------------------------------------- what is not sent

test "other events, other programs and other decoders are not sent" {
  input "source.file.alerts" { file = "../testdata/alerts/win-4624.json" }
  input "source.file.alerts" { file = "../testdata/alerts/sshd-failure.json" }
  input "source.file.alerts" { file = "../testdata/alerts/f2b-found.json" }
  input "source.file.alerts" { file = "../testdata/alerts/fim-modified.json" }
  input "source.file.alerts" { file = "../testdata/alerts/sca-check.json" }
  input "source.file.alerts" { file = "../testdata/alerts/vulnerability.json" }
  input "source.file.alerts" { file = "../testdata/alerts/web-access.json" }
  expect "filter.windows.rejected" { count = 7 }
  expect "filter.fail2ban.rejected" { count = 7 }
  expect "sink.kafka.dfn" { count = 0 }
}

test "all 26 alerts as the manager writes them: 18 are sent, one is no JSON" {
  input "source.file.alerts" { file = "../testdata/alerts/alerts.jsonl" }
  expect "sink.kafka.dfn" { count = 18 }
  expect "sink.wazuh.receipt" { count = 18 }
  expect "source.file.alerts.errors" { count = 1 }
  expect "sink.dead_letter.failed" { count = 1 }
}

test "a cut line costs only itself" {
  input "source.file.alerts" {
    text = <<-LINES
      {"timestamp":"2025-10-09T12:00:00.1
      {"id":"1.2","data":{"win":{"system":{"eventID":1102}}}}
    LINES
  }
  expect "sink.kafka.dfn" {
    count = 1
    where = "event_format == 'windows-xml' and origin.id == '1.2'"
  }
  expect "sink.wazuh.receipt" { count = 1 }
  expect "source.file.alerts.errors" { count = 1 }
  expect "sink.dead_letter.failed" { count = 1 }
}

test "an alert that matches both filters gives a message for each" {
  input "source.file.alerts" {
    event = {
      rule     = { groups = ["fail2ban"] }
      full_log = "fail2ban.actions [1]: NOTICE [sshd] Ban 1.1.1.77"
      data = {
        program_name = "fail2ban.actions"
        srcip        = "1.1.1.77"
        win          = { system = { eventID = "4625" } }
      }
    }
  }
  expect "sink.kafka.dfn" { count = 2 }
  expect "sink.wazuh.receipt" { count = 2 }
}

# ------------------------------------------------------------------------------------------------- own networks

test "with an own network only public addresses outside of it are sent" {
  vars = { own_network = ["9.9.9.0/24"] }
  input "source.file.alerts" { file = "../testdata/alerts/f2b-*.json" }
  expect "sink.kafka.dfn" {
    count = 4
    where = "is_public(origin.data.srcip) and not in_cidr(origin.data.srcip, '9.9.9.0/24')"
  }
  expect "sink.wazuh.receipt" { count = 4 }
  expect "filter.fail2ban.rejected" {
    count = 4
    where = "data.program_name != 'fail2ban.actions' or in_cidr(data.srcip, '9.9.9.0/24') or not is_public(data.srcip)"
  }
}

test "the own network is not for Windows events" {
  vars = { own_network = ["9.9.9.0/24"] }
  input "source.file.alerts" { file = "../testdata/alerts/alerts.jsonl" }
  expect "sink.kafka.dfn" { count = 15 }
  expect "sink.wazuh.receipt" { count = 15 }
  expect "source.file.alerts.errors" { count = 1 }
  expect "sink.dead_letter.failed" { count = 1 }
}

test "own networks are several, of both families" {
  vars = { own_network = ["1.1.1.0/24", "2620:fe::/48"] }
  input "source.file.alerts" { file = "../testdata/alerts/f2b-*.json" }
  expect "sink.kafka.dfn" {
    count = 2
    where = "origin.data.srcip in ['149.112.112.112', '9.9.9.140']"
  }
  expect "sink.wazuh.receipt" { count = 2 }
}

test "exclude_private holds without an own network too" {
  vars = { exclude_private = true }
  input "source.file.alerts" { file = "../testdata/alerts/f2b-*.json" }
  expect "sink.kafka.dfn" {
    count = 5
    where = "is_public(origin.data.srcip)"
  }
  expect "sink.wazuh.receipt" { count = 5 }
}

test "private addresses can be sent all the same, those of the own network can't" {
  vars = {
    own_network     = ["9.9.9.0/24"]
    exclude_private = false
  }
  input "source.file.alerts" { file = "../testdata/alerts/f2b-*.json" }
  expect "sink.kafka.dfn" {
    count = 6
    where = "not in_cidr(origin.data.srcip, '9.9.9.0/24')"
  }
  expect "sink.wazuh.receipt" { count = 6 }
}

# ---------------------------------------------------------------------------------------------------- failures

test "what the broker refuses is reported and kept" {
  input "source.file.alerts" { file = "../testdata/alerts/f2b-ban-public.json" }
  mock "sink.kafka.dfn" { error = "record too large" }
  expect "sink.wazuh.receipt" { count = 0 }
  expect "sink.wazuh.failure" {
    count  = 1
    golden = "testdata/failure.wazuh.txt"
  }
  expect "sink.dead_letter.failed" { count = 1 }
}

test "a fail2ban alert without a log line is reported and kept" {
  input "source.file.alerts" {
    event = {
      id   = "1.3"
      rule = { groups = ["fail2ban"] }
      data = { program_name = "fail2ban.actions", srcip = "1.1.1.77" }
    }
  }
  expect "sink.kafka.dfn" { count = 0 }
  expect "sink.wazuh.failure" {
    count = 1
    where = "meta.error.message contains 'full_log' and meta.sink.payload contains '\"alert_id\": \"1.3\"'"
  }
  expect "sink.dead_letter.failed" { count = 1 }
}

test "the receipts' location is the integration's name" {
  vars = { integration_name = "dfn-test" }
  input "source.file.alerts" { file = "../testdata/alerts/win-1102.json" }
  expect "sink.kafka.dfn" { count = 1 }
  expect "sink.wazuh.receipt" { where = "meta.sink.payload contains '\"integration\": \"dfn-test\"' and meta.sink.location == 'dfn-test'" }
}
