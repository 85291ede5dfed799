package file

import (
	"testing"

	"github.com/wazuh-etl/etl/runtime/component"
)

func TestClaims(t *testing.T) {
	plain := &Source{path: "/var/log/app.json"}
	wazuh := &Source{path: "/var/log/app.json", profile: "wazuh4"}
	for _, c := range []struct {
		source           *Source
		path, generation string
		want             bool
	}{
		{plain, "/var/log/app.json", "ab", true},
		{plain, "/var/log/app.json.1", "ab", true},
		{plain, "/var/log/app.json.1.gz", "ab", true},
		{plain, "/var/log/app-20251121.json", "ab", true},
		{plain, "/var/log/app.json.aaa", "ab", true},
		{plain, "/var/log/app-2.json", "ab", false}, // a second app's
		{plain, "/var/log/other.json", "ab", false},
		{plain, "/var/app.json", "ab", false},
		{plain, "", "", false},
		{plain, "/var/log/2025/Nov/ossec-app-21.json", "2025/Nov/ossec-app-21.json:ab", false},
		{wazuh, "/var/log/2025/Nov/ossec-app-21.json", "2025/Nov/ossec-app-21.json:ab", true},
	} {
		if got := c.source.Claims(component.Position{Path: c.path, Generation: c.generation}); got != c.want {
			t.Errorf("%s (%s): %v, want %v", c.path, c.generation, got, c.want)
		}
	}
}
