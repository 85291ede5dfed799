package load

import (
	"bytes"
	"os"
	"testing"

	"github.com/wazuh-etl/etl/builtin"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/lang"
)

// TestWhatWeShipLoads holds that the shipped pipelines are valid but for the
// variables that only an operator can give.
func TestWhatWeShipLoads(t *testing.T) {
	for path, vars := range map[string]map[string]string{
		"../../../pipelines/quickstart.hcl": nil,
		"../../../pipelines/wazuh-dfn.hcl":  {"brokers": "localhost:9092", "topic": "dfn"},
	} {
		o := Options(builtin.Specs())
		o.Mode, o.Vars, o.StateDir = lang.Validate, vars, t.TempDir()
		p, list := Pipeline(path, o)
		if p == nil || len(list) > 0 {
			var b bytes.Buffer
			_ = diag.Printer{Source: os.ReadFile}.Text(&b, list)
			t.Errorf("%s:\n%s", path, b.String())
		}
	}
}
