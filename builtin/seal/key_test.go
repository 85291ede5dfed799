package seal

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/world"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

func TestParseKey(t *testing.T) {
	secret, err := hex.DecodeString(hexKey)
	if err != nil {
		t.Fatal(err)
	}
	spaces := strings.Repeat(" ", secretSize) // 32 bytes are 32 bytes, whatever they look like
	for name, c := range map[string]struct{ content, secret string }{
		"hex":    {hexKey, string(secret)},
		"HEX":    {strings.ToUpper(hexKey) + "\r\n", string(secret)},
		"base64": {base64.StdEncoding.EncodeToString(secret) + "\n", string(secret)},
		"bytes":  {string(secret), string(secret)},
		"blanks": {spaces, spaces},
	} {
		if k, err := ParseKey([]byte(c.content), ""); err != nil || string(k.secret) != c.secret || k.public != nil {
			t.Errorf("%s: %v, %v", name, k, err)
		}
	}
	private, public := pair(t)
	a, b := key(t, "a comment\n"+private, ""), key(t, public, "")
	if a.ID != b.ID || len(a.ID) != 16 || a.private == nil || b.private != nil || a.secret != nil {
		t.Errorf("%v, %v", a, b)
	}
}

func TestParseKeyRefuses(t *testing.T) {
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(curve)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(curve.Public())
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	for content, want := range map[string]string{
		"":                              "empty",
		"\n":                            "empty",
		"secret":                        "this has 6",
		hexKey[:63]:                     "this has 63",
		hexKey[:32] + "\n\n":            "this has 32",
		hexKey[:63] + "g":               "hex digits",
		strings.Repeat("=", 44):         "base64",
		strings.Repeat("A", 44):         "base64", // 33 bytes
		block("PRIVATE KEY", der):       "for ECDSA",
		block("PUBLIC KEY", public):     "for ECDSA",
		block("PRIVATE KEY", []byte{1}): "can't be read",
		block("PUBLIC KEY", []byte{1}):  "can't be read",
		block("ENCRYPTED PRIVATE KEY", []byte{1}): "passphrase",
		block("CERTIFICATE", []byte{1}):           "no Ed25519 key",
		"-----BEGIN ":                             "no Ed25519 key",
	} {
		if k, err := ParseKey([]byte(content), ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v", content, k, err)
		}
	}
}

func FuzzParseKey(f *testing.F) {
	private, public := pair(f)
	for _, seed := range []string{hexKey, private, public, strings.Repeat("A", 44)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		k, err := ParseKey(content, "")
		if err == nil && (k.secret == nil) == (k.public == nil) {
			t.Errorf("%q: %v", content, k)
		}
	})
}

// host has a key file, or none.
func host(t *testing.T, content string) *component.Host { return hostOf(t, content, 0o600) }

func hostOf(t *testing.T, content string, mode fs.FileMode) *component.Host {
	t.Helper()
	files := worldtest.NewFS()
	if content != "" {
		f, err := files.OpenFile("/key", os.O_WRONLY|os.O_CREATE, mode)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return &component.Host{World: world.World{FS: files}}
}

func config(values map[string]any) *component.Config {
	return &component.Config{Address: "transform.seal.x", Values: values, Ranges: map[string]diag.Range{"key_file": {File: "p.hcl"}}}
}

// What is wrong with a file is found when the pipeline is validated, and again when the key is used.
func TestKeyFileErrors(t *testing.T) {
	private, public := pair(t)
	sign := func(method string) component.Transform {
		made, err := newSigning(config(map[string]any{"key_file": "/key", "method": method, "signature_member": "s", "key_id_member": "k"}))
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	encrypt, err := newEncryption(config(map[string]any{"key_file": "/key", "member": "e"}))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		made    component.Transform
		content string
		want    string // "": all is well
	}{
		"hmac":                   {sign(methodHMAC), hexKey, ""},
		"ed25519":                {sign(methodEd25519), private, ""},
		"encryption":             {encrypt, hexKey, ""},
		"hmac with a pair":       {sign(methodHMAC), private, "it is a key for ed25519, and method is hmac-sha256"},
		"ed25519 with a secret":  {sign(methodEd25519), hexKey, "it is a key for hmac-sha256, and method is ed25519"},
		"signing with a public":  {sign(methodEd25519), public, "checks signatures and makes none"},
		"encryption with a pair": {encrypt, private, "does not encrypt"},
		"short":                  {encrypt, "short", "this has 5"},
		"gone":                   {encrypt, "", "/key"},
	} {
		h := host(t, c.content)
		found := c.made.(component.Checker).Check(h)
		w, err := c.made.Worker(h)
		if c.want == "" {
			if len(found) > 0 || err != nil {
				t.Errorf("%s: %v, %v", name, found, err)
				continue
			}
			if _, err := process(t, w, `{"a":1}`); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if len(found) != 1 || err == nil || !strings.Contains(found[0].Error(), c.want) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v", name, found, err)
			continue
		}
		if d := found[0].(diag.Diagnostic); d.Code != diag.KeyUnreadable || d.Range.File != "p.hcl" || d.Suggestion == "" {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// Where the key is good for the other method, the method is as likely to be what is wrong.
func TestAKeyForTheOtherMethod(t *testing.T) {
	private, _ := pair(t)
	for method, c := range map[string]struct{ content, cure string }{
		methodHMAC:    {private, `write method = "ed25519", or give it a key for hmac-sha256: openssl rand -hex 32 makes one`},
		methodEd25519: {hexKey, `write method = "hmac-sha256", or give it a key for ed25519: openssl genpkey -algorithm ed25519 makes one`},
	} {
		made, err := newSigning(config(map[string]any{"key_file": "/key", "method": method, "signature_member": "s", "key_id_member": "k"}))
		if err != nil {
			t.Fatal(err)
		}
		found := made.(component.Checker).Check(host(t, c.content))
		if len(found) != 1 || found[0].(diag.Diagnostic).Suggestion != c.cure {
			t.Errorf("%s: %+v", method, found)
		}
	}
}

func TestKeyFileOfEverybody(t *testing.T) {
	for mode, want := range map[fs.FileMode]int{0o600: 0, 0o640: 0, 0o660: 0, 0o644: 1, 0o602: 1} {
		h := hostOf(t, hexKey, mode)
		k := keyFile{config: config(map[string]any{"key_file": "/key"}), suits: (*Key).Encrypts}
		found := k.Check(h)
		if len(found) != want {
			t.Fatalf("%o: %v", mode, found)
		}
		if want > 0 && found[0].(diag.Diagnostic).Severity != diag.Warning {
			t.Errorf("%o: %v", mode, found)
		}
	}
}

// A test of a pipeline whose key comes from a variable says what it lacks.
func TestKeyFileUnknown(t *testing.T) {
	c := config(map[string]any{"member": "e"})
	c.Unknown = map[string]bool{"key_file": true}
	made, err := newEncryption(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := made.Worker(host(t, "")); err == nil || !strings.Contains(err.Error(), "vars") {
		t.Errorf("error %v", err)
	}
}
