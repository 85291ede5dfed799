package tlsconfig_test

import (
	"crypto/tls"
	"errors"
	"io"
	"io/fs"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/builtin/tlsconfig"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/world"
	"github.com/wazuh-etl/etl/testdata/certs"
)

func config(values map[string]any) *component.Config {
	ranges := make(map[string]diag.Range)
	for name := range values {
		ranges[name] = diag.Range{File: name}
	}
	return &component.Config{Values: values, Ranges: ranges}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	authority, other := certs.NewAuthority(t), certs.NewAuthority(t)
	good, foreign := authority.Issue(t, "good"), other.Issue(t, "foreign")
	longer := certs.NewAuthorityFor(t, now.Add(-time.Hour), now.Add(365*24*time.Hour))
	long := longer.IssueFor(t, "long", now.Add(-time.Hour), now.Add(300*24*time.Hour))
	old := longer.IssueFor(t, "old", now.Add(-2*time.Hour), now.Add(-time.Hour))
	early := longer.IssueFor(t, "early", now.Add(time.Hour), now.Add(200*24*time.Hour))
	gone := certs.NewAuthorityFor(t, now.Add(-2*time.Hour), now.Add(-time.Hour))
	write := func(name string, content []byte) string { return certs.Write(t, dir, name, content) }
	files := map[string]string{
		"ca": write("ca.pem", longer.PEM()), "cert": write("cert.pem", long.Cert), "key": write("key.pem", long.Key),
		"bundle":  write("bundle.pem", append(gone.PEM(), longer.PEM()...)),
		"gone":    write("gone.pem", gone.PEM()),
		"foreign": write("foreign.pem", foreign.Cert), "foreign key": write("foreign-key.pem", foreign.Key),
		"old": write("old.pem", old.Cert), "old key": write("old-key.pem", old.Key),
		"early": write("early.pem", early.Cert), "early key": write("early-key.pem", early.Key),
		"short ca": write("short-ca.pem", authority.PEM()), "short": write("short.pem", good.Cert), "short key": write("short-key.pem", good.Key),
		"text":      write("text.pem", []byte("hello")),
		"broken":    write("broken.pem", []byte("-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n")),
		"encrypted": write("encrypted.pem", []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\naGVsbG8=\n-----END ENCRYPTED PRIVATE KEY-----\n")),
		"missing":   filepath.Join(dir, "missing.pem"),
	}

	for _, test := range []struct {
		name, ca, cert, key string
		want                string // attribute code, …
	}{
		{name: "all is well", ca: "ca", cert: "cert", key: "key"},
		{name: "only an authority", ca: "ca"},
		{name: "only a login", cert: "cert", key: "key"},
		{name: "no files"},
		{name: "a bundle with an old authority", ca: "bundle", cert: "cert", key: "key"},
		{name: "an authority that is over", ca: "gone", want: "ca_file ETL1508"},
		{name: "missing files", ca: "missing", cert: "missing", key: "missing", want: "ca_file ETL1504, cert_file ETL1504, key_file ETL1504"},
		{name: "no certificates", ca: "text", cert: "text", key: "text", want: "ca_file ETL1513, cert_file ETL1507, key_file ETL1510"},
		{name: "broken certificates", ca: "broken", cert: "broken", key: "key", want: "ca_file ETL1513, cert_file ETL1507"},
		{name: "a passphrase", ca: "ca", cert: "cert", key: "encrypted", want: "key_file ETL1510"},
		{name: "expired", ca: "ca", cert: "old", key: "old key", want: "cert_file ETL1508"},
		{name: "not yet valid", ca: "ca", cert: "early", key: "early key", want: "cert_file ETL1509"},
		{name: "soon over", ca: "short ca", cert: "short", key: "short key", want: "cert_file ETL1906"},
		{name: "another key", ca: "ca", cert: "cert", key: "foreign key", want: "key_file ETL1511"},
		{name: "another authority", ca: "ca", cert: "foreign", key: "foreign key", want: "cert_file ETL1906, cert_file ETL1512"},
		{name: "another authority, and over", ca: "gone", cert: "cert", key: "key", want: "ca_file ETL1508, cert_file ETL1512"},
		{name: "a key as certificate", ca: "ca", cert: "key", key: "cert", want: "cert_file ETL1507, key_file ETL1510"},
	} {
		t.Run(test.name, func(t *testing.T) {
			values := make(map[string]any)
			for attr, file := range map[string]string{"ca_file": test.ca, "cert_file": test.cert, "key_file": test.key} {
				if file != "" {
					values[attr] = files[file]
				}
			}
			if got := codes(t, tlsconfig.Check(config(values), world.OS().FS, now)); got != test.want {
				t.Errorf("found %q, want %q", got, test.want)
			}
		})
	}
}

func codes(t *testing.T, found []error) string {
	t.Helper()
	var codes []string
	for _, err := range found {
		var d diag.Diagnostic
		if !errors.As(err, &d) {
			t.Fatalf("%v is no diagnostic", err)
		}
		codes = append(codes, d.Range.File+" "+string(d.Code))
	}
	return strings.Join(codes, ", ")
}

// denied is a file system of somebody else.
type denied struct{ world.FS }

func (denied) ReadFile(name string) ([]byte, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
}

func TestCheckDenied(t *testing.T) {
	c := config(map[string]any{"ca_file": "/ca", "cert_file": "/cert", "key_file": "/key"})
	want := "ca_file ETL1513, cert_file ETL1507, key_file ETL1510"
	if got := codes(t, tlsconfig.Check(c, denied{}, time.Now())); got != want {
		t.Errorf("found %q, want %q", got, want)
	}
}

func TestAbsent(t *testing.T) {
	if c, err := tlsconfig.Build(nil, denied{}); c != nil || err != nil {
		t.Errorf("Build gives %v, %v without a block", c, err)
	}
	if found := tlsconfig.Check(nil, denied{}, time.Now()); found != nil {
		t.Errorf("Check finds %v without a block", found)
	}
	if files := tlsconfig.Files(nil); files != nil {
		t.Errorf("Files are %v without a block", files)
	}
	if err := tlsconfig.Complete(nil); err != nil {
		t.Errorf("Complete says %v without a block", err)
	}
}

func TestComplete(t *testing.T) {
	for _, attr := range []string{"cert_file", "key_file"} {
		if got := codes(t, []error{tlsconfig.Complete(config(map[string]any{attr: "/x"}))}); got != attr+" ETL1103" {
			t.Errorf("%s alone: %s", attr, got)
		}
	}
	unknown := config(map[string]any{"cert_file": "/x"})
	unknown.Unknown = map[string]bool{"key_file": true}
	if err := tlsconfig.Complete(unknown); err != nil {
		t.Errorf("a key that is not known yet: %v", err)
	}
}

func TestBuild(t *testing.T) {
	dir := t.TempDir()
	authority := certs.NewAuthority(t)
	ca, cert, key := authority.Files(t, dir, authority.Issue(t, "client"))
	c := config(map[string]any{"ca_file": ca, "cert_file": cert, "key_file": key, "server_name": "localhost", "min_version": "1.3"})
	client, err := tlsconfig.Build(c, world.OS().FS)
	if err != nil {
		t.Fatal(err)
	}
	if client.MinVersion != tls.VersionTLS13 {
		t.Errorf("oldest version is %x", client.MinVersion)
	}

	near, far := net.Pipe()
	go func() {
		server := tls.Server(far, authority.Server(t))
		defer server.Close()
		_, _ = io.Copy(server, server)
	}()
	conn := tls.Client(near, client)
	defer conn.Close()
	if _, err := conn.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Errorf("the server didn't take the certificate: %v", err)
	}

	for attr, file := range map[string]string{"ca_file": key, "cert_file": key, "key_file": "/nowhere"} {
		bad := map[string]any{"ca_file": ca, "cert_file": cert, "key_file": key}
		bad[attr] = file
		if _, err := tlsconfig.Build(config(bad), world.OS().FS); err == nil || !strings.HasPrefix(err.Error(), "reading "+attr) {
			t.Errorf("a bad %s: %v", attr, err)
		}
	}
}
