package seal

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"hash"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// The methods of signing.
const (
	methodHMAC    = "hmac-sha256"
	methodEd25519 = "ed25519"
)

// Members are the names of the members that signing adds.
type Members struct{ Signature, KeyID string }

// signing is transform "sign".
type signing struct {
	keyFile
	address string
	members Members
}

// Worker reads the key.
func (s *signing) Worker(host *component.Host) (component.Worker, error) {
	key, err := s.use(host)
	if err != nil {
		return nil, err
	}
	return newSigner(s.address, s.members, key), nil
}

// signer signs on one goroutine.
type signer struct {
	address      string
	signature    []string // paths
	keyID        []string
	id           document.Value
	private      ed25519.PrivateKey
	mac          hash.Hash // nil with a private key
	form, signed []byte    // reused
}

func newSigner(address string, members Members, key *Key) *signer {
	s := &signer{
		address:   address,
		signature: []string{members.Signature}, keyID: []string{members.KeyID},
		id: document.NewText(key.ID), private: key.private,
	}
	if key.secret != nil {
		s.mac = hmac.New(sha256.New, key.secret)
	}
	return s
}

func (s *signer) Close() error { return nil }

// Process adds the key's name, and the signature of all but the signature itself.
func (s *signer) Process(e *event.Event, out func(*event.Event)) error {
	root, err := e.Root()
	if err != nil {
		return err
	}
	if root.Kind() != document.Object {
		return event.Failf(event.CodeNotObject, "the event is a JSON %s, and only an object can hold a signature", root.Kind())
	}
	named := root.With(s.keyID, s.id)
	if s.form, err = canonical(s.form, named.Without(s.signature)); err != nil {
		return err
	}
	if s.mac != nil {
		s.mac.Reset()
		s.mac.Write(s.form)
		s.signed = s.mac.Sum(s.signed[:0])
	} else {
		s.signed = ed25519.Sign(s.private, s.form)
	}
	text := base64.StdEncoding.EncodeToString(s.signed)
	out(e.Derive(s.address, -1, named.With(s.signature, document.NewText(text))))
	return nil
}
