package seal

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"

	"github.com/wazuh-etl/etl/runtime/document"
)

// Verify says why message, one JSON object, was not signed as it is by one of
// keys; nil if it was. The name of the key in it is part of what is signed, and decides nothing.
func Verify(message []byte, keys []*Key, members Members) error {
	root, err := parse(message)
	if err != nil {
		return err
	}
	id, text := root.Get(members.KeyID), root.Get(members.Signature)
	if text.Kind() != document.Text {
		return fmt.Errorf("it has no signature: %s is %s", members.Signature, text.Kind())
	}
	if id.Kind() != document.Text {
		return fmt.Errorf("it does not name its key: %s is %s", members.KeyID, id.Kind())
	}
	signature, err := decodeBase64(text.Text())
	if err != nil {
		return fmt.Errorf("its signature is no base64: %w", err)
	}
	form, err := canonical(nil, root.Without([]string{members.Signature}))
	if err != nil {
		return err
	}
	for _, key := range keys {
		if key.signed(form, signature) {
			return nil
		}
	}
	return fmt.Errorf("no key that is given has made its signature: it was changed, or the key %q is another one", id.Text())
}

// signed says whether the key has made the signature of form. The method is the
// key's: a message can't choose a weaker one.
func (k *Key) signed(form, signature []byte) bool {
	if k.secret == nil {
		return len(signature) == ed25519.SignatureSize && ed25519.Verify(k.public, form, signature)
	}
	mac := hmac.New(sha256.New, k.secret)
	mac.Write(form)
	return hmac.Equal(mac.Sum(nil), signature)
}
