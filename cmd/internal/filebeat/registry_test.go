package filebeat

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
}

const snapshot = `[
{"_key":"filebeat::logs::native::11-64768","id":"native::11-64768","source":"/var/a.json","timestamp":[1,2],"offset":100,"ttl":-1,"type":"log","meta":null,"FileStateOS":{"inode":11,"device":64768},"identifier_name":"native"},
{"_key":"filebeat::logs::native::12-64768","source":"/var/gone.json","offset":5,"ttl":-1,"FileStateOS":{"inode":12,"device":64768}},
{"_key":"winlogbeat::x","offset":"another shape"}]`

const operations = `{"op":"set","id":2}
{"k":"filebeat::logs::native::11-64768","v":{"source":"/var/a.json","offset":50,"FileStateOS":{"inode":11,"device":64768}}}
{"op":"set","id":8}
{"k":"filebeat::logs::native::11-64768","v":{"source":"/var/a.json","offset":150,"ttl":-1,"FileStateOS":{"inode":11,"device":64768}}}
{"op":"remove","id":9}
{"k":"filebeat::logs::native::12-64768"}
{"op":"set","id":10}
{"k":"filestream::wazuh-alerts::native::13-64768","v":{"ttl":-1,"updated":[1,2],"cursor":{"offset":321},"meta":{"source":"/var/b.json","identifier_name":"native"}}}
{"op":"set","id":11}
{"k":"filestream::fp::fingerprint::445d01af94a604742ab7bb9db8b5bceff4b780925c2f8c7729165076319fc016","v":{"ttl":-1,"cursor":{"offset":7},"meta":{"source":"/var/c.json","identifier_name":"fingerprint"}}}
{"op":"set","id":12}
{"k":"filestream::fp::.global","v":{"ttl":0,"cursor":null,"meta":null}}
{"op":"set","id":13}
{"k":"filebeat::lo`

func TestRegistry(t *testing.T) {
	data := t.TempDir()
	dir := filepath.Join(data, "registry", "filebeat")
	write(t, filepath.Join(dir, "3.json"), "[]")
	write(t, filepath.Join(dir, "7.json"), snapshot)
	write(t, filepath.Join(dir, "meta.json"), `{"version":"1"}`)
	write(t, filepath.Join(dir, "log.json"), operations)
	want := []Entry{
		{"filebeat::logs::native::11-64768", "/var/a.json", 150, 64768, 11},
		{"filestream::fp::fingerprint::445d01af94a604742ab7bb9db8b5bceff4b780925c2f8c7729165076319fc016", "/var/c.json", 7, 0, 0},
		{"filestream::wazuh-alerts::native::13-64768", "/var/b.json", 321, 64768, 13},
	}
	for _, path := range []string{data, filepath.Join(data, "registry"), dir} {
		got, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}

func TestRegistryOfFilebeat6(t *testing.T) {
	file := filepath.Join(t.TempDir(), "registry")
	write(t, file, `[{"source":"/var/a.json","offset":9,"ttl":-1,"FileStateOS":{"inode":1,"device":2}},{"source":"/var/b.json","offset":9,"ttl":0}]`)
	got, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Entry{{"", "/var/a.json", 9, 2, 1}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestNoRegistry(t *testing.T) {
	if _, err := Read(t.TempDir()); !errors.Is(err, ErrNone) {
		t.Errorf("error %v", err)
	}
	file := filepath.Join(t.TempDir(), "x")
	write(t, file, "no JSON")
	if _, err := Read(file); !errors.Is(err, ErrNone) {
		t.Errorf("error %v", err)
	}
}

func FuzzReplay(f *testing.F) {
	f.Add([]byte(operations))
	f.Fuzz(func(t *testing.T, log []byte) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "log.json"), string(log))
		if entries, err := Read(dir); err == nil {
			for _, e := range entries {
				if e.Path == "" || e.Offset < 0 {
					t.Errorf("%+v", e)
				}
			}
		}
	})
}
