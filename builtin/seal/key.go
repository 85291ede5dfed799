package seal

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// secretSize is the length of each secret key in bytes.
const secretSize = 32

// Key is what is in a key file. Exactly one of secret and public is set;
// private goes with public, and may be missing.
type Key struct {
	ID      string // as messages name it
	secret  []byte
	public  ed25519.PublicKey
	private ed25519.PrivateKey
}

// ParseKey reads the content of a key file: a secret key of 32 bytes (as they are, as hex digits or in
// base64), or an Ed25519 key in PEM form (PKCS #8, or the public one). Without id, it is named by its fingerprint.
func ParseKey(content []byte, id string) (*Key, error) {
	k := &Key{ID: id}
	var err error
	if bytes.Contains(content, []byte("-----BEGIN ")) {
		k.public, k.private, err = parsePEM(content)
	} else {
		k.secret, err = parseSecret(content)
	}
	if err != nil {
		return nil, err
	}
	if k.ID == "" {
		k.ID = k.fingerprint()
	}
	return k, nil
}

// fingerprint names a key: the first 16 hex digits of the SHA-256 of the
// secret, or of the public half.
func (k *Key) fingerprint() string {
	material := k.secret
	if material == nil {
		material = k.public
	}
	sum := sha256.Sum256(material)
	return hex.EncodeToString(sum[:8])
}

// method is what the key is for. It is never taken from a message, which could
// name another one.
func (k *Key) method() string {
	if k.secret != nil {
		return methodHMAC
	}
	return methodEd25519
}

// Encrypts says why the key can't encrypt or decrypt; nil if it can.
func (k *Key) Encrypts() error {
	if k.secret == nil {
		return errors.New("it is an Ed25519 key, which signs and does not encrypt")
	}
	return nil
}

// parseSecret tells the three forms apart by their length.
func parseSecret(content []byte) ([]byte, error) {
	if len(content) == secretSize {
		return bytes.Clone(content), nil
	}
	text := strings.TrimSpace(string(content))
	switch len(text) {
	case hex.EncodedLen(secretSize):
		if secret, err := hex.DecodeString(text); err == nil {
			return secret, nil
		}
		return nil, errors.New("64 characters are hex digits, and these are not")
	case base64.StdEncoding.EncodedLen(secretSize):
		if secret, err := decodeBase64(text); err == nil && len(secret) == secretSize {
			return secret, nil
		}
		return nil, errors.New("44 characters are base64, and these are not")
	case 0:
		return nil, errors.New("it is empty")
	}
	return nil, fmt.Errorf("a secret key is 32 bytes, 64 hex digits or 44 characters of base64, and this has %d", len(text))
}

// parsePEM reads the first key. Other blocks before it are passed over.
func parsePEM(content []byte) (ed25519.PublicKey, ed25519.PrivateKey, error) {
	for {
		var block *pem.Block
		if block, content = pem.Decode(content); block == nil {
			return nil, nil, errors.New("it has no Ed25519 key in PEM form")
		}
		switch block.Type {
		case "ENCRYPTED PRIVATE KEY":
			return nil, nil, errors.New("the private key has a passphrase")
		case "PRIVATE KEY":
			key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return nil, nil, fmt.Errorf("the private key can't be read: %w", err)
			}
			private, is := key.(ed25519.PrivateKey)
			if !is {
				return nil, nil, fmt.Errorf("the private key is for %s, not for Ed25519", kindOf(key))
			}
			return private.Public().(ed25519.PublicKey), private, nil
		case "PUBLIC KEY":
			key, err := x509.ParsePKIXPublicKey(block.Bytes)
			if err != nil {
				return nil, nil, fmt.Errorf("the public key can't be read: %w", err)
			}
			public, is := key.(ed25519.PublicKey)
			if !is {
				return nil, nil, fmt.Errorf("the public key is for %s, not for Ed25519", kindOf(key))
			}
			return public, nil, nil
		}
	}
}

// kindOf is the algorithm of a key of crypto/x509: the name of its package.
func kindOf(key any) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(fmt.Sprintf("%T", key), "*"), ".")
	return strings.ToUpper(name)
}

// decodeBase64 takes the one spelling that encoding gives: no other padding, no line breaks.
func decodeBase64(text string) ([]byte, error) {
	decoded, err := base64.StdEncoding.Strict().DecodeString(text)
	if err == nil && base64.StdEncoding.EncodedLen(len(decoded)) != len(text) {
		err = errors.New("it has line breaks")
	}
	return decoded, err
}
