package tlsconfig

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
)

// Build reads the block's files and makes a client's configuration of them;
// nil where there is no TLS. ServerName is empty unless the block has it: who
// dials several hosts sets it for each.
func Build(c *component.Config, fs world.FS) (*tls.Config, error) {
	if c == nil {
		return nil, nil
	}
	config := &tls.Config{ServerName: c.String("server_name"), MinVersion: tls.VersionTLS12}
	if c.String("min_version") == "1.3" {
		config.MinVersion = tls.VersionTLS13
	}
	if c.Has("ca_file") {
		pem, err := fs.ReadFile(c.String("ca_file"))
		if err != nil {
			return nil, fmt.Errorf("reading ca_file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("reading ca_file: no certificate in %s", c.String("ca_file"))
		}
	}
	if c.Has("cert_file") {
		cert, err := fs.ReadFile(c.String("cert_file"))
		if err != nil {
			return nil, fmt.Errorf("reading cert_file: %w", err)
		}
		key, err := fs.ReadFile(c.String("key_file"))
		if err != nil {
			return nil, fmt.Errorf("reading key_file: %w", err)
		}
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("reading cert_file and key_file: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
