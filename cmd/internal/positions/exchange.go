package positions

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/wazuh-etl/etl/runtime/state"
)

// exported is the document of export and import.
type exported struct {
	Version     int                `json:"v"`
	Pipeline    string             `json:"pipeline"`
	Checkpoints []state.Checkpoint `json:"checkpoints"`
}

const exportVersion = 1

// Export writes all checkpoints as one JSON document.
func (t *Target) Export(w io.Writer) error {
	d, _, err := t.Look()
	if err != nil {
		return err
	}
	return write(w, exported{exportVersion, t.Name, d.All()})
}

// errNoExport says that a text is no export of checkpoints.
var errNoExport = errors.New("this is no export of checkpoints, which etl state export prints")

// Import is what an export says, as it is.
func (t *Target) Import(raw []byte) (*Changes, error) {
	var e exported
	if err := json.Unmarshal(raw, &e); err != nil || e.Checkpoints == nil {
		return nil, errNoExport
	}
	if e.Version > exportVersion {
		return nil, fmt.Errorf("the export is of a newer etl (format %d, this one knows %d)", e.Version, exportVersion)
	}
	c := &Changes{}
	if e.Pipeline != t.Name {
		c.note("the checkpoints were exported from the pipeline %s", e.Pipeline)
	}
	for _, k := range e.Checkpoints {
		if k.Source == "" || k.Sink == "" || k.Offset < 0 {
			return nil, fmt.Errorf("%w: a checkpoint has no source, no sink, or an offset below 0", errNoExport)
		}
		if !t.known(k) {
			c.note("%s → %s: the pipeline has no such components; the checkpoint is kept for when it has", k.Source, k.Sink)
		}
		c.Checkpoints = append(c.Checkpoints, k)
	}
	return c, nil
}
