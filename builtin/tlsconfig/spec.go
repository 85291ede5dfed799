// Package tlsconfig is the `tls` block that network components share: its
// description, what `etl validate` says of its files, and the tls.Config that
// is made of it. A nil *component.Config, a block that is not written or
// switched off, means no TLS everywhere in this package.
package tlsconfig

import (
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
)

// Block is the description of the block, to be put into a Spec.
var Block = component.BlockSpec{
	Name: "tls",
	Doc: "Encrypts the connection. The server's certificate is always verified: against `ca_file` where it is written, " +
		"against the system's authorities otherwise. The files are read again at each new connection.",
	Attrs: []component.Attr{
		{Name: "ca_file", Type: component.TypeReadPath,
			Doc: "PEM file with the certificates of the authorities that the server's certificate may be signed by. Default: the system's."},
		{Name: "cert_file", Type: component.TypeReadPath,
			Doc: "PEM file with the certificate to log in with (mutual TLS), intermediate ones behind it. Needs `key_file`. " +
				"If `ca_file` is written too, one of its authorities must have signed it."},
		{Name: "key_file", Type: component.TypeReadPath,
			Doc: "PEM file with the private key of `cert_file`, without a passphrase."},
		{Name: "server_name", Type: component.TypeString,
			Doc: "Name that the server's certificate must have. Default: the host of the address that is connected to."},
		{Name: "min_version", Type: component.TypeEnum, Enum: []string{"1.2", "1.3"}, Default: "1.2",
			Doc: "Oldest version of TLS that is spoken."},
	},
}

// Complete says whether the block's attributes go together: a certificate
// needs its key and the other way round. A component's constructor asks it.
func Complete(c *component.Config) error {
	if c == nil || !c.Known("cert_file") || !c.Known("key_file") {
		return nil
	}
	for name, other := range map[string]string{"cert_file": "key_file", "key_file": "cert_file"} {
		if c.Has(name) && !c.Has(other) {
			return c.Error(name, diag.MissingAttribute, name+" needs "+other, "a certificate and its private key belong together")
		}
	}
	return nil
}

// Files are the files that the block names.
func Files(c *component.Config) []string {
	if c == nil {
		return nil
	}
	var files []string
	for _, name := range []string{"ca_file", "cert_file", "key_file"} {
		if c.Has(name) {
			files = append(files, c.String(name))
		}
	}
	return files
}
