package watch

import (
	"errors"

	"github.com/wazuh-etl/etl/builtin/seal"
)

// Key is one that messages may be signed or encrypted with.
type Key = *seal.Key

// proof is what is known of who has made a message.
type proof uint8

const (
	unchecked  proof = iota // no key was given
	unverified              // no key that was given has signed it
	verified
)

// opener checks and decrypts messages.
type opener struct{ keys, secrets []Key }

func newOpener(keys []Key) opener {
	o := opener{keys: keys}
	for _, k := range keys {
		if k.Encrypts() == nil {
			o.secrets = append(o.secrets, k)
		}
	}
	return o
}

// open is the event in a message. One that was signed before or after it was encrypted, or as
// a member of a batch (outer), is verified.
func (o opener) open(raw []byte, outer proof) (*event, proof, error) {
	p := max(outer, o.check(raw))
	e, err := parse(raw)
	if errors.Is(err, errEncrypted) && len(o.secrets) > 0 {
		inner, err := seal.Decrypt(raw, o.secrets, seal.DefaultEnvelope)
		if err != nil {
			return nil, p, errEncrypted
		}
		raw = inner
		if p != verified {
			p = max(p, o.check(raw))
		}
		e, err = parse(raw)
		return e, p, err
	}
	return e, p, err
}

func (o opener) check(raw []byte) proof {
	switch {
	case len(o.keys) == 0:
		return unchecked
	case seal.Verify(raw, o.keys, seal.Members{Signature: seal.DefaultSignature, KeyID: seal.DefaultKeyID}) != nil:
		return unverified
	}
	return verified
}
