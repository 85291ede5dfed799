package lang

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
)

// written is what a path that is written to means.
func (l *loader) written(name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(l.plan.State, name)
}

// readPath looks for a file that a component reads: its content is part of the
// component's configuration.
func (d *decoding) readPath(a component.Attr, written, abs string, at hcl.Range) bool {
	l := d.l
	d.print.add(a.Name, abs)
	if !l.o.Mode.strict() || d.lenient {
		return true
	}
	if a.Live {
		if _, err := l.o.FS.Stat(abs); os.IsNotExist(err) {
			if here, is := l.underWorkingDirectory(abs); is {
				l.warn(diag.FileElsewhere, l.at(at), fmt.Sprintf("%s is not there yet", l.display(abs)),
					fmt.Sprintf("%s is: paths are relative to the pipeline file, write the absolute one", here))
			}
		}
		return true
	}
	content, _, err := l.readFile(abs)
	switch {
	case os.IsNotExist(err):
		hint := ""
		if !filepath.IsAbs(written) {
			hint = "paths are relative to the pipeline file"
		}
		if here, is := l.underWorkingDirectory(abs); is {
			hint = fmt.Sprintf("%s exists, but paths are relative to the pipeline file: write the absolute one", here)
		}
		d.fail(diag.MissingFile, at, fmt.Sprintf("there is no file %s for `%s`", l.display(abs), a.Name), hint)
		return false
	case err != nil:
		d.fail(diag.UnreadableFile, at, fmt.Sprintf("reading %s for `%s`: %s", l.display(abs), a.Name, reason(err)), "")
		return false
	}
	d.print.add(a.Name+" content", string(content))
	return true
}

// underWorkingDirectory is the file that abs would be if its path were
// relative to the current directory.
func (l *loader) underWorkingDirectory(abs string) (string, bool) {
	rel, err := filepath.Rel(l.plan.Dir, abs)
	if err != nil {
		return "", false
	}
	here, err := filepath.Abs(rel)
	if err != nil || here == abs {
		return "", false
	}
	_, err = l.o.FS.Stat(here)
	return here, err == nil
}
