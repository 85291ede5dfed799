package seal

import (
	"errors"
	"fmt"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/world"
)

// keyFile is the attributes key_file and key_id, which both transforms have. The
// file is read when workers are made, not when the pipeline is loaded: what has
// no use for the key need not be able to read it.
type keyFile struct {
	config *component.Config
	suits  func(*Key) error // what is wrong with a key for this use
	made   string           // how such a key is made
}

var keyAttrs = []component.Attr{
	{Name: "key_file", Type: component.TypeReadPath, Required: true, Doc: "File with the key. A reload reads it again."},
	{Name: "key_id", Type: component.TypeString, Doc: "Name of the key, by which a reader finds the right one. Default: the first 16 hex digits of the SHA-256 of the key's 32 bytes; " +
		"of an Ed25519 key, of its public half."},
}

// read is the key; the error does not say which file.
func (f *keyFile) read(files world.FS) (*Key, error) {
	content, err := files.ReadFile(f.config.String("key_file"))
	if err != nil {
		return nil, err
	}
	key, err := ParseKey(content, f.config.String("key_id"))
	if err != nil {
		return nil, err
	}
	return key, f.suits(key)
}

// use is read for a worker.
func (f *keyFile) use(host *component.Host) (*Key, error) {
	if !f.config.Known("key_file") {
		return nil, fmt.Errorf("key_file comes from a variable without a value: give a test a key of its own, `vars = { … }`")
	}
	key, err := f.read(host.FS)
	if err != nil {
		return nil, fmt.Errorf("reading key_file %s: %w", f.config.String("key_file"), err)
	}
	return key, nil
}

// Check says what is wrong with the file. That it is there and can be read is known by then.
func (f *keyFile) Check(host *component.Host) []error {
	name := f.config.String("key_file")
	if _, err := f.read(host.FS); err != nil {
		cure := f.made
		if other, ok := errors.AsType[*otherMethod](err); ok {
			cure = fmt.Sprintf("write method = %q, or give it a key for %s: %s", other.key, other.method, f.made)
		}
		return []error{f.config.Error("key_file", diag.KeyUnreadable, fmt.Sprintf("the key in %s can't be used: %v", name, err), cure)}
	}
	if info, err := host.FS.Stat(name); err == nil && info.Mode().Perm()&0o007 != 0 {
		return []error{diag.Diagnostic{
			Code: diag.ComponentWarning, Severity: diag.Warning, Range: f.config.Ranges["key_file"],
			Message:    fmt.Sprintf("everybody on this machine may open the key in %s", name),
			Suggestion: "chmod o= " + name,
		}}
	}
	return nil
}
