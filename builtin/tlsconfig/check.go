package tlsconfig

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/world"
)

// soon is how long before its end a certificate is warned about.
const soon = 30 * 24 * time.Hour

// Check says all that is wrong with the block's files at the time now. Each
// error is a diag.Diagnostic at the attribute it is about.
func Check(c *component.Config, files world.FS, now time.Time) []error {
	if c == nil {
		return nil
	}
	k := &check{c: c, files: files, now: now}
	roots := k.authorities()
	chain := k.certificates("cert_file", diag.CertUnreadable)
	if len(chain) > 0 {
		k.validity("cert_file", chain[0])
		k.signature(chain, roots)
	}
	if key := k.privateKey(); key != nil && len(chain) > 0 && !matches(chain[0], key) {
		k.add("key_file", diag.KeyMismatch, "", "%s is not the private key of the certificate in %s",
			c.String("key_file"), c.String("cert_file"))
	}
	return k.found
}

type check struct {
	c     *component.Config
	files world.FS
	now   time.Time
	found []error
}

func (k *check) add(attr string, code diag.Code, suggestion, format string, args ...any) {
	k.found = append(k.found, k.c.Error(attr, code, fmt.Sprintf(format, args...), suggestion))
}

// read is a file's content, nil if it is not written or can't be read.
func (k *check) read(attr string, unreadable diag.Code) []byte {
	if !k.c.Has(attr) {
		return nil
	}
	name := k.c.String(attr)
	data, err := k.files.ReadFile(name)
	switch {
	case err == nil:
		return data
	case errors.Is(err, fs.ErrNotExist):
		k.add(attr, diag.MissingFile, "", "there is no file %s", name)
	case errors.Is(err, fs.ErrPermission):
		k.add(attr, unreadable, "change its owner, group or mode", "%s may not be read by this user", name)
	default:
		k.add(attr, unreadable, "", "%s can't be read: %v", name, err)
	}
	return nil
}

// certificates are those of a PEM file, in its order.
func (k *check) certificates(attr string, unreadable diag.Code) []*x509.Certificate {
	data := k.read(attr, unreadable)
	if data == nil {
		return nil
	}
	var all []*x509.Certificate
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			k.add(attr, unreadable, "", "%s has a certificate that can't be read: %v", k.c.String(attr), err)
			return nil
		}
		all = append(all, cert)
	}
	if len(all) == 0 {
		k.add(attr, unreadable, "it begins with -----BEGIN CERTIFICATE-----", "%s has no certificate in PEM form", k.c.String(attr))
	}
	return all
}

// authorities are the certificates of ca_file. A bundle may hold old ones: it
// is expired when all of it is.
func (k *check) authorities() []*x509.Certificate {
	all := k.certificates("ca_file", diag.CAUnreadable)
	var last *x509.Certificate
	for _, cert := range all {
		if !k.now.After(cert.NotAfter) && !k.now.Before(cert.NotBefore) {
			return all
		}
		if last == nil || cert.NotAfter.After(last.NotAfter) {
			last = cert
		}
	}
	if last != nil {
		k.validity("ca_file", last)
	}
	return all
}

func (k *check) validity(attr string, cert *x509.Certificate) {
	name := k.c.String(attr)
	switch {
	case k.now.After(cert.NotAfter):
		k.add(attr, diag.CertExpired, "", "the certificate in %s expired on %s", name, day(cert.NotAfter))
	case k.now.Before(cert.NotBefore):
		k.add(attr, diag.CertNotYetValid, "is this machine's clock right?", "the certificate in %s is valid from %s on", name, day(cert.NotBefore))
	case k.now.Add(soon).After(cert.NotAfter):
		k.found = append(k.found, diag.Diagnostic{
			Code: diag.CertExpiresSoon, Severity: diag.Warning, Range: k.c.Ranges[attr],
			Message: fmt.Sprintf("the certificate in %s expires on %s", name, day(cert.NotAfter)),
		})
	}
}

// signature holds the client's certificate against ca_file: with one private
// authority for both sides, which is what ca_file is for, a certificate of
// another one is a mix-up that the server would only answer with an alert.
func (k *check) signature(chain, roots []*x509.Certificate) {
	if len(roots) == 0 {
		return
	}
	options := x509.VerifyOptions{
		Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(),
		KeyUsages:   []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
		CurrentTime: chain[0].NotAfter, // dates are told apart from signatures
	}
	for _, cert := range roots {
		options.Roots.AddCert(cert)
	}
	for _, cert := range chain[1:] {
		options.Intermediates.AddCert(cert)
	}
	_, err := chain[0].Verify(options)
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return
	}
	if err != nil {
		k.add("cert_file", diag.CAMismatch, "put intermediate certificates behind it, or add the authority that signed it to ca_file", "the certificate in %s is not signed by an authority in %s",
			k.c.String("cert_file"), k.c.String("ca_file"))
	}
}

// privateKey is the key of key_file, nil if it is not written or can't be read.
func (k *check) privateKey() crypto.Signer {
	const attr = "key_file"
	data := k.read(attr, diag.KeyUnreadable)
	if data == nil {
		return nil
	}
	name := k.c.String(attr)
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			k.add(attr, diag.KeyUnreadable, "it begins with -----BEGIN PRIVATE KEY-----", "%s has no private key in PEM form", name)
			return nil
		}
		if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
			k.add(attr, diag.KeyUnreadable, "take it off: openssl pkey -in "+name+" -out NEW", "the private key in %s has a passphrase", name)
			return nil
		}
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		key, err := parseKey(block.Bytes)
		if err != nil {
			k.add(attr, diag.KeyUnreadable, "", "the private key in %s can't be read: %v", name, err)
			return nil
		}
		return key
	}
}

// parseKey knows the forms that crypto/tls takes.
func parseKey(der []byte) (crypto.Signer, error) {
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a key of type %T can't sign", key)
	}
	return signer, nil
}

func matches(cert *x509.Certificate, key crypto.Signer) bool {
	public, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(key.Public())
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02") }
