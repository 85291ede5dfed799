package seal

import (
	"fmt"

	"github.com/wazuh-etl/etl/runtime/document"
)

// The envelope.
const (
	envelopeVersion   = 1
	envelopeAlgorithm = "A256GCM"
	nonceSize         = 12
)

// Decrypt is the event in message, one JSON object whose envelope is called
// member, to the letter as transform "encrypt" got it. What was added to the message
// behind that transform (a signature) plays no part.
func Decrypt(message []byte, keys []*Key, member string) ([]byte, error) {
	root, err := parse(message)
	if err != nil {
		return nil, err
	}
	s, err := openEnvelope(root, member)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		gcm, err := key.gcm()
		if err != nil {
			return nil, err
		}
		if plain, err := gcm.Open(nil, s.nonce, s.ciphertext, s.bound); err == nil {
			return plain, nil
		}
	}
	return nil, fmt.Errorf("no key that is given opens it: it, or a member that was left readable, was changed, or the key %q is another one", s.keyID)
}

// envelope is what a message says of its encryption.
type envelope struct {
	keyID             string
	nonce, ciphertext []byte
	bound             []byte // what can be read, and must be as it was
}

func openEnvelope(root document.Value, member string) (*envelope, error) {
	v := root.Get(member)
	if v.Kind() != document.Object {
		return nil, fmt.Errorf("it is not encrypted: %s is %s", member, v.Kind())
	}
	if n, ok := v.Get("v").Int64(); !ok || n != envelopeVersion {
		return nil, fmt.Errorf("its envelope is of version %s, and this etl knows %d", v.Get("v"), envelopeVersion)
	}
	if alg := v.Get("alg"); alg.Text() != envelopeAlgorithm {
		return nil, fmt.Errorf("it is encrypted with %s, and this etl knows %s", alg, envelopeAlgorithm)
	}
	s := &envelope{keyID: v.Get("kid").Text()}
	var err error
	if s.nonce, err = decodeBase64(v.Get("nonce").Text()); err != nil || len(s.nonce) != nonceSize {
		return nil, fmt.Errorf("its nonce is not %d bytes in base64", nonceSize)
	}
	if s.ciphertext, err = decodeBase64(v.Get("ciphertext").Text()); err != nil {
		return nil, fmt.Errorf("its ciphertext is no base64: %w", err)
	}
	var readable []document.Member
	for name := range v.Get("kept").Elements() {
		readable = append(readable, document.Member{Name: name.Text(), Value: root.Get(name.Text())})
	}
	header := v.Without([]string{"nonce"}).Without([]string{"ciphertext"})
	s.bound, err = canonical(nil, document.NewObject(append(readable, document.Member{Name: member, Value: header})))
	return s, err
}
