package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
)

// brokerError is a connection that did not come about.
type brokerError struct {
	address string
	err     error
}

func (e *brokerError) Unwrap() error { return e.err }

func (e *brokerError) Error() string {
	var dns *net.DNSError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var wire *net.OpError
	var header tls.RecordHeaderError
	said := func(format string, args ...any) string {
		return "broker " + e.address + " " + fmt.Sprintf(format, args...)
	}
	switch {
	case errors.Is(e.err, syscall.ECONNREFUSED):
		return said("refused the connection")
	case errors.As(e.err, &dns):
		return said("can't be found: no such host name")
	case errors.As(e.err, &unknown):
		return said("has a certificate that none of the authorities signed")
	case errors.As(e.err, &name):
		return said("has a certificate for another name: %v", name)
	case errors.As(e.err, &invalid):
		return said("has an invalid certificate: %v", invalid)
	case errors.As(e.err, &wire) && wire.Op == "remote error": // an alert
		return said("refused TLS: %v", wire.Err)
	case errors.As(e.err, &header):
		return said("does not speak TLS at this port")
	case errors.Is(e.err, kerr.SaslAuthenticationFailed):
		return said("refused user name or password")
	case errors.Is(e.err, os.ErrDeadlineExceeded), errors.Is(e.err, context.DeadlineExceeded):
		return said("does not answer")
	case errors.Is(e.err, io.EOF):
		return said("closed the connection: are tls and sasl as it wants them?")
	default:
		return said("can't be reached: %v", e.err)
	}
}

// refusal is what a broker said of a topic.
type refusal struct {
	topic string
	words string
	err   error
}

func (r *refusal) Unwrap() error { return r.err }

func (r *refusal) Error() string {
	if r.words == "" {
		return fmt.Sprintf("topic %s: %v", r.topic, r.err)
	}
	return fmt.Sprintf("topic %s: %s (%v)", r.topic, r.words, name(r.err))
}

// name is the protocol's name of an error.
func name(err error) string {
	if k, ok := errors.AsType[*kerr.Error](err); ok {
		return k.Message
	}
	return err.Error()
}

// unreadable is a diagnostic for a file.
func unreadable(c *component.Config, attr string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return c.Error(attr, diag.MissingFile, "there is no file "+c.String(attr), "")
	}
	return c.Error(attr, diag.UnreadableFile, c.String(attr)+" can't be read: "+err.Error(), "")
}
