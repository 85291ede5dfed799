package lang

import (
	"path"
	"path/filepath"
	"sort"
	"strings"
)

// glob is the files that a pattern finds, sorted.
func (l *loader) glob(pattern string) []string {
	abs := filepath.ToSlash(l.absolute(pattern))
	if !strings.ContainsAny(abs, "*?[") {
		if info, err := l.o.FS.Stat(abs); err != nil || info.IsDir() {
			return nil
		}
		return []string{filepath.FromSlash(abs)}
	}
	found := []string{"/"}
	for _, part := range strings.Split(strings.Trim(abs, "/"), "/") {
		var next []string
		for _, dir := range found {
			if !strings.ContainsAny(part, "*?[") {
				next = append(next, path.Join(dir, part))
				continue
			}
			entries, err := l.o.FS.ReadDir(dir)
			if err != nil {
				continue
			}
			for _, e := range entries {
				if ok, err := path.Match(part, e.Name()); ok && err == nil {
					next = append(next, path.Join(dir, e.Name()))
				}
			}
		}
		found = next
	}
	var files []string
	for _, name := range found {
		if info, err := l.o.FS.Stat(name); err == nil && !info.IsDir() {
			files = append(files, name)
		}
	}
	sort.Strings(files)
	return files
}
