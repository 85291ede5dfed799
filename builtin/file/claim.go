package file

import (
	"path/filepath"
	"strings"

	"github.com/wazuh-etl/etl/runtime/component"
)

// Claims says whether p was reached in the file that the source reads, or in
// one that it was rotated to: component.Claimant.
func (s *Source) Claims(p component.Position) bool {
	path := strings.TrimSuffix(p.Path, ".gz")
	if path == s.path {
		return true
	}
	directory, base := filepath.Split(s.path)
	if dated, _, ok := strings.Cut(p.Generation, ":"); ok && s.profile != "" && path == filepath.Join(directory, dated) {
		return true
	}
	name, ok := strings.CutPrefix(path, directory)
	if !ok {
		return false
	}
	extension := filepath.Ext(base)
	suffix, ok := strings.CutPrefix(name, base)
	if !ok {
		suffix, ok = strings.CutPrefix(name, strings.TrimSuffix(base, extension))
		suffix = strings.TrimSuffix(suffix, extension)
	}
	if !ok || suffix == "" || !strings.ContainsRune(".-_", rune(suffix[0])) {
		return false
	}
	k, _ := rotated(suffix[0], suffix[1:])
	return k != other || strings.HasPrefix(name, base+".")
}
