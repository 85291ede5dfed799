package lang_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wazuh-etl/etl/runtime/lang"
	"github.com/wazuh-etl/etl/runtime/plan"
)

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const sharing = `
variable "password" {
  type      = string
  sensitive = true
}
connection "kafka" "main" {
  description = "the cluster in the cellar"
  brokers     = ["a:9092"]
  tls {
    ca_file  = "ca.pem"
    password = var.password
  }
}
connection "kafka" "other" {
  brokers = ["b:9092"]
}
source "file" "alerts" { path = "alerts.json" }
sink "kafka" "one" {
  from       = source.file.alerts
  topic      = "one"
  connection = connection.kafka.main
}
sink "kafka" "two" {
  from       = source.file.alerts
  topic      = "two"
  connection = connection.kafka.main
}
sink "kafka" "three" {
  from       = source.file.alerts
  topic      = "three"
  connection = (connection.kafka.other)
  enabled    = true
}
sink "kafka" "own" {
  from       = source.file.alerts
  topic      = "own"
  connection = null
  brokers    = ["c:9092"]
}
`

func TestConnection(t *testing.T) {
	path := pipeline(t, "p.hcl", sharing, "ca.pem", "x")
	p := load(t, path, variables(map[string]string{"password": "open sesame"}))
	for address, brokers := range map[string]string{"sink.kafka.one": "a:9092", "sink.kafka.two": "a:9092", "sink.kafka.three": "b:9092", "sink.kafka.own": "c:9092"} {
		n := node(t, p, address)
		if got := n.Config.Strings("brokers"); !slices.Equal(got, []string{brokers}) || n.Config.Address != address {
			t.Errorf("%s: %v", address, got)
		}
		tls := n.Config.Block("tls")
		if shared := brokers == "a:9092"; shared != (tls != nil) || shared && (tls.String("password") != "open sesame" || tls.String("ca_file") != filepath.Join(filepath.Dir(path), "ca.pem")) {
			t.Errorf("%s: %+v", address, tls)
		}
	}
	if n := node(t, p, "sink.kafka.two"); n.Description != "" || n.Config.Ranges["brokers"].Start.Line != 8 || n.Config.Block("tls").Ranges["password"].Start.Line != 11 {
		t.Errorf("%q %+v", n.Description, n.Config.Ranges)
	}
	if !slices.Contains(p.Secrets, "open sesame") {
		t.Error("the secret of a connection may be shown")
	}
	if !slices.Contains(p.Reads, filepath.Join(filepath.Dir(path), "ca.pem")) {
		t.Error("a file of a connection is not watched")
	}
	// Who uses a connection that has changed has changed, and nobody else.
	changed := load(t, path, variables(map[string]string{"password": "close sesame"}))
	for address, want := range map[string]bool{"sink.kafka.one": true, "sink.kafka.two": true, "sink.kafka.three": false, "sink.kafka.own": false} {
		if got := node(t, p, address).Fingerprint != node(t, changed, address).Fingerprint; got != want {
			t.Errorf("%s: changed is %v", address, got)
		}
	}
	// At run time those who name one connection have one, which is its settings and its files.
	one, two, own := node(t, p, "sink.kafka.one").Connection, node(t, p, "sink.kafka.two").Connection, node(t, p, "sink.kafka.own").Connection
	if one == nil || one != two || one.Address != "connection.kafka.main" || own != nil {
		t.Errorf("%v, %v, %v", one, two, own)
	}
	main := func(p *plan.Plan) plan.Connection { return *node(t, p, "sink.kafka.one").Connection }
	if main(changed) == main(p) || *node(t, p, "sink.kafka.three").Connection != *node(t, changed, "sink.kafka.three").Connection {
		t.Error("not the connection that has changed is another one")
	}
	again := func() *plan.Plan { return load(t, path, variables(map[string]string{"password": "open sesame"})) }
	same := again()
	write(t, path, strings.Replace(sharing, "in the cellar", "in the attic", 1))
	if main(p) != main(same) || main(same) != main(again()) {
		t.Error("a connection that has not changed is another one")
	}
	write(t, filepath.Join(filepath.Dir(path), "ca.pem"), "y")
	if main(again()) == main(same) {
		t.Error("a connection with another certificate is the same")
	}
	// A test needs no value of it.
	load(t, path, func(o *lang.Options) { o.Mode = lang.DryRun })
}

// The directory's files are one pipeline, so a connection may stand in another one.
func TestConnectionInAnotherFile(t *testing.T) {
	path := pipeline(t, "a.hcl", `
source "file" "alerts" { path = "alerts.json" }
sink "nats" "out" {
  from       = source.file.alerts
  connection = connection.nats.bus
}
`, "z.hcl", `connection "nats" "bus" { url = "nats://127.0.0.1" }`)
	p := load(t, filepath.Dir(path), nil)
	n := node(t, p, "sink.nats.out")
	if n.Config.String("url") != "nats://127.0.0.1" || filepath.Base(n.Config.Ranges["url"].File) != "z.hcl" {
		t.Errorf("%+v", n.Config)
	}
}
