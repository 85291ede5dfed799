package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"slices"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// encryption is transform "encrypt".
type encryption struct {
	keyFile
	address string
	member  string
	keep    []string
}

// Worker reads the key.
func (t *encryption) Worker(host *component.Host) (component.Worker, error) {
	key, err := t.use(host)
	if err != nil {
		return nil, err
	}
	return newEncrypter(t.address, t.member, t.keep, key)
}

// encrypter encrypts on one goroutine.
type encrypter struct {
	address string
	member  string
	keep    []string
	id      document.Value
	gcm     cipher.AEAD

	plain, bound, sealed []byte // reused
}

func newEncrypter(address, member string, keep []string, key *Key) (*encrypter, error) {
	gcm, err := key.gcm()
	if err != nil {
		return nil, err
	}
	return &encrypter{address: address, member: member, keep: keep, id: document.NewText(key.ID), gcm: gcm}, nil
}

// gcm is AES-256-GCM with the key.
func (k *Key) gcm() (cipher.AEAD, error) {
	block, err := aes.NewCipher(k.secret)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func (w *encrypter) Close() error { return nil }

// Process makes the message: what stays readable, and the envelope. The whole
// event is in the envelope, so that it comes out of it to the letter.
func (w *encrypter) Process(e *event.Event, out func(*event.Event)) error {
	root, err := e.Root()
	if err != nil {
		return err
	}
	if root.Kind() != document.Object {
		return event.Failf(event.CodeNotObject, "the event is a JSON %s, and only an object can be encrypted", root.Kind())
	}
	readable, names := w.readable(root)
	header := []document.Member{
		{Name: "v", Value: document.NewInt(envelopeVersion)},
		{Name: "alg", Value: document.NewText(envelopeAlgorithm)},
		{Name: "kid", Value: w.id},
		{Name: "kept", Value: document.NewArray(names)},
	}
	if w.bound, err = canonical(w.bound, message(readable, w.member, header)); err != nil {
		return err
	}
	var nonce [nonceSize]byte
	rand.Read(nonce[:]) //nolint:errcheck // it never fails
	w.plain = root.AppendJSON(w.plain[:0])
	w.sealed = w.gcm.Seal(w.sealed[:0], nonce[:], w.plain, w.bound)
	out(e.Derive(w.address, -1, message(readable, w.member, append(header,
		document.Member{Name: "nonce", Value: document.NewText(base64.StdEncoding.EncodeToString(nonce[:]))},
		document.Member{Name: "ciphertext", Value: document.NewText(base64.StdEncoding.EncodeToString(w.sealed))},
	))))
	return nil
}

// readable are the members that stay so, with their names as `kept` has them.
func (w *encrypter) readable(root document.Value) (members []document.Member, names []document.Value) {
	for _, name := range w.keep {
		if value := root.Get(name); value.Kind() != document.Missing {
			members = append(members, document.Member{Name: name, Value: value})
			names = append(names, document.NewText(name))
		}
	}
	return members, names
}

// message is an object of members and the envelope behind them.
func message(members []document.Member, name string, envelope []document.Member) document.Value {
	return document.NewObject(append(slices.Clip(members),
		document.Member{Name: name, Value: document.NewObject(slices.Clone(envelope))}))
}
