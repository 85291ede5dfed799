// Package seal holds the transforms that sign and encrypt events, and what
// `etl verify` and `etl decrypt` do with the messages that they make.
package seal

import (
	"errors"
	"fmt"
	"slices"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
)

// Specs are the components of this package.
func Specs() []*component.Spec { return []*component.Spec{signSpec, encryptSpec} }

// Default names of the members that are added.
const (
	DefaultSignature = "signature"
	DefaultKeyID     = "key_id"
	DefaultEnvelope  = "encrypted"
)

// secretKeys says how a secret key is written.
const secretKeys = `A secret key is 32 bytes: the file holds them as they are, as 64 hex digits, or as 44 characters of base64, with or without a
line break. ` + "`(umask 077; openssl rand -hex 32 > KEY)`" + ` makes one that nobody else may read, not for a moment. A passphrase is none.`

var signSpec = &component.Spec{
	Role:    component.RoleTransform,
	Kind:    "sign",
	Summary: "Signs events, with HMAC-SHA256 or Ed25519 over canonical JSON",
	Doc: `Two members are added to the event, or put in the place of what they were: ` + "`key_id`" + `, and ` + "`signature`" + ` in base64. The signature covers
the whole event, ` + "`key_id`" + ` too, but ` + "`signature`" + ` itself, in the form of RFC 8785 (JSON Canonicalization Scheme). So order of members,
blanks and escapes may change on the way, and nothing else. ` + "`etl verify`" + ` checks a message, and so does any other
program: take ` + "`signature`" + ` out, write the rest canonically, and check it.

What a sink sends instead of the event (` + "`payload`" + `) is signed as far as it is the event: put all of it in place before this transform.
The id of the event is not part of what is signed, unless it is a member. A message that is sent again is signed as it was the first time: who must refuse what is
played back remembers ids.

` + secretKeys + ` Who checks a signature by HMAC has the key, and could have made it. An Ed25519 key is a file in PEM form (PKCS #8),
without a passphrase: ` + "`openssl genpkey -algorithm ed25519`" + ` makes one, ` + "`openssl pkey -pubout`" + ` its public half, for those who check.

To change a key: give the new one to those who check (` + "`etl verify`" + ` takes several), then change the file and reload.

| what goes wrong | then | test |
| --- | --- | --- |
| a number that RFC 8785 can't hold: an integer that a double changes (beyond 2^53: 9007199254740993), 1e400 | ` + "`.errors`" + `, code ` + "`not_canonical`" + `: other numbers would have the same signature. Make it a text | TestNumbersThatADoubleChangesAreRefused |
| the event is no object | ` + "`.errors`" + `, code ` + "`not_an_object`" + ` | TestOnlyObjects |
| the key can't be read any more when the pipeline starts or is reloaded | the start, or the reload, ends with the error | TestKeyFileErrors |`,
	Attrs: append(slices.Clone(keyAttrs),
		component.Attr{Name: "method", Type: component.TypeEnum, Enum: []string{methodHMAC, methodEd25519}, Default: methodHMAC, Doc: "`hmac-sha256`: one secret key for both sides. `ed25519`: a private key to sign, a public one to check."},
		component.Attr{Name: "signature_member", Type: component.TypeString, Default: DefaultSignature, Check: checkName, Doc: "Name of the member for the signature."},
		component.Attr{Name: "key_id_member", Type: component.TypeString, Default: DefaultKeyID, Check: checkName, Doc: "Name of the member for the key's name."},
	),
	Example: `transform "sign" "signed" {
  from     = source.file.alerts
  key_file = "/etc/etl/signing.key"
  key_id   = "2026-01"
}`,
	NewTransform: newSigning,
}

var encryptSpec = &component.Spec{
	Role:    component.RoleTransform,
	Kind:    "encrypt",
	Summary: "Encrypts events, with AES-256-GCM",
	Doc: `The event becomes a new one that holds the members that ` + "`keep`" + ` names, readable, and behind them an envelope:

` + "```json" + `
{
  "agent_id": "001",
  "encrypted": {
    "v": 1,
    "alg": "A256GCM",
    "kid": "2026-01",
    "kept": ["agent_id"],
    "nonce": "12 bytes in base64",
    "ciphertext": "the event and the 16 bytes of the tag, in base64"
  }
}
` + "```" + `

The whole event is in the ciphertext, what stays readable too: ` + "`etl decrypt`" + ` gives it back to the letter. What stays readable can't be changed on the way
without being noticed, nor can the envelope. To write a reader: the additional data (AAD) is this message in the form of RFC 8785, without ` + "`nonce` and `ciphertext`" + `, and
without members that ` + "`kept`" + ` does not name (a later ` + "`sign`" + ` adds some). Filters and templates behind this transform see what stays readable, and
` + "`meta`" + `; ` + "`origin`" + ` is still the event as its source gave it, readable, and dead letters keep that text.

` + secretKeys + `

Each nonce is drawn at random. By NIST SP 800-38D one key is good for 2^32 events: 49 days at 1,000 events/s, 1 year and 4 months at 100. Change it before: give
the new one to those who read (` + "`etl decrypt`" + ` takes several), then change the file and reload. Since the nonce is another one each time, an event that is sent again is another message
with the same id.

| what goes wrong | then | test |
| --- | --- | --- |
| a member that stays readable has a number that RFC 8785 can't hold, as for ` + "`sign`" + ` | ` + "`.errors`" + `, code ` + "`not_canonical`" + ` | TestNumbersThatADoubleChangesAreRefused |
| the event is no object | ` + "`.errors`" + `, code ` + "`not_an_object`" + ` | TestOnlyObjects |
| the key can't be read any more when the pipeline starts or is reloaded | the start, or the reload, ends with the error | TestKeyFileErrors |`,
	Attrs: append(slices.Clone(keyAttrs),
		component.Attr{Name: "keep", Type: component.TypeStrings, Check: checkNames, Doc: "Names of members that stay readable, at the top of the event. What is not there is left out. Default: none."},
		component.Attr{Name: "member", Type: component.TypeString, Default: DefaultEnvelope, Check: checkName, Doc: "Name of the member for the envelope."},
	),
	Example: `transform "encrypt" "secret" {
  from     = source.file.alerts
  key_file = "/etc/etl/encryption.key"
  keep     = ["id", "timestamp"]
}`,
	NewTransform: newEncryption,
}

func newSigning(c *component.Config) (component.Transform, error) {
	t := &signing{
		address: c.Address,
		members: Members{Signature: c.String("signature_member"), KeyID: c.String("key_id_member")},
	}
	method := c.String("method")
	t.keyFile = keyFile{config: c, suits: func(k *Key) error { return signs(k, method) }, made: "openssl rand -hex 32 makes one"}
	if method == methodEd25519 {
		t.made = "openssl genpkey -algorithm ed25519 makes one"
	}
	if t.members.Signature == t.members.KeyID {
		return nil, c.Error("key_id_member", diag.InvalidValue, "the signature and the key's name need two members", "")
	}
	return t, nil
}

func newEncryption(c *component.Config) (component.Transform, error) {
	t := &encryption{
		keyFile: keyFile{config: c, suits: (*Key).Encrypts, made: "openssl rand -hex 32 makes one"},
		address: c.Address, member: c.String("member"), keep: c.Strings("keep"),
	}
	if slices.Contains(t.keep, t.member) {
		return nil, c.Error("keep", diag.InvalidValue, fmt.Sprintf("%s is where the envelope goes", t.member), "give the envelope another name: member")
	}
	return t, nil
}

// otherMethod is that a key is for another method than the one that is configured.
type otherMethod struct{ key, method string }

func (o *otherMethod) Error() string {
	return fmt.Sprintf("it is a key for %s, and method is %s", o.key, o.method)
}

// signs says what is wrong with a key for signing by a method.
func signs(k *Key, method string) error {
	switch {
	case k.method() != method:
		return &otherMethod{k.method(), method}
	case k.secret == nil && k.private == nil:
		return errors.New("it is a public key, which checks signatures and makes none")
	}
	return nil
}

func checkName(value any) error {
	if value.(string) == "" {
		return errors.New("a member needs a name")
	}
	return nil
}

func checkNames(value any) error {
	names := value.([]string)
	for i, name := range names {
		if name == "" {
			return errors.New("a member needs a name")
		}
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("%s is there twice", name)
		}
	}
	return nil
}
