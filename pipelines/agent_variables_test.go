package pipelines_test

import (
	"testing"

	"github.com/wazuh-etl/etl/builtin"
	"github.com/wazuh-etl/etl/runtime/lang"
)

// Values that agent-status.hcl could run with, and would do nothing or something else than was meant.
func TestAgentStatusRefusesWhatIsNotMeant(t *testing.T) {
	const one = "a manager has exactly one of database, socket and api"
	for name, c := range map[string]struct {
		variable, value string
		want            string // the message
	}{
		"no manager":        {"managers", `{}`, `var.managers: there is no manager: write at least one, as { NAME = { database = "/var/ossec/queue/db/global.db" } }`},
		"null":              {"managers", "\x00", `var.managers: there is no manager: write at least one, as { NAME = { database = "/var/ossec/queue/db/global.db" } }`},
		"no way":            {"managers", `{ a = { socket = "/s" }, b = {}, c = null }`, "var.managers: b, c: " + one},
		"two ways":          {"managers", `{ a = { socket = "/s", database = "/d" }, b = { database = "/d" } }`, "var.managers: a: " + one},
		"a typo":            {"managers", `{ a = { databse = "/d" } }`, "var.managers.a has no attribute `databse`"},
		"a typo, deep":      {"managers", `{ a = { api = { url = "https://h:55000", user = "u", ca = "/c" } } }`, "var.managers.a.api has no attribute `ca`"},
		"an empty name":     {"audit_file", "", "var.audit_file: audit_file is empty: null means none, and only a --var-file can say null"},
		"no audit":          {"audit_file", "\x00", ""},
		"no such method":    {"compression", "lz4", "var.compression: compression must be zstd or gzip, or null"}, // once, not for each sink
		"an empty method":   {"compression", "", "var.compression: compression must be zstd or gzip, or null"},
		"a method":          {"compression", "gzip", ""},
		"two good managers": {"managers", `{ a = { socket = "/s" }, b = { database = "/d" } }`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, list := lang.Load("agent-status.hcl", lang.Options{
				Mode: lang.Run, Vars: map[string]string{c.variable: c.value}, Specs: builtin.Specs(), StateDir: t.TempDir(),
			})
			switch {
			case c.want == "" && len(list) > 0:
				t.Error(list)
			case c.want != "" && (len(list) != 1 || list[0].Message != c.want):
				t.Errorf("got %v, want %s", list, c.want)
			}
		})
	}
}
