package seal

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
)

const (
	hexKey   = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	otherKey = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
)

var members = Members{Signature: DefaultSignature, KeyID: DefaultKeyID}

func key(t testing.TB, content, id string) *Key {
	t.Helper()
	k, err := ParseKey([]byte(content), id)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// pair is an Ed25519 key in PEM form, from a fixed seed.
func pair(t testing.TB) (private, public string) {
	t.Helper()
	k := ed25519.NewKeyFromSeed([]byte(strings.Repeat("s", ed25519.SeedSize)))
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	private = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if der, err = x509.MarshalPKIXPublicKey(k.Public()); err != nil {
		t.Fatal(err)
	}
	return private, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func alert(raw string) *event.Event {
	return event.New(&event.Stream{Source: "source.file.alerts", Generation: "g"}, 7, []byte(raw), time.Unix(0, 0), ack.Token{})
}

// process is what the worker makes of one event.
func process(t testing.TB, w component.Worker, raw string) (string, error) {
	t.Helper()
	in := alert(raw)
	before := string(in.AppendJSON(nil))
	var made []*event.Event
	err := w.Process(in, func(e *event.Event) { made = append(made, e) })
	if err != nil {
		return "", err
	}
	if len(made) != 1 {
		t.Fatalf("%d events", len(made))
	}
	if id := made[0].ID(); id != "g@7/transform.seal.x" {
		t.Errorf("id %s", id)
	}
	if now := string(in.AppendJSON(nil)); now != before {
		t.Errorf("the event that came is now %s", now)
	}
	return string(made[0].AppendJSON(nil)), nil
}

func mustProcess(t testing.TB, w component.Worker, raw string) string {
	t.Helper()
	text, err := process(t, w, raw)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func encrypterWith(t testing.TB, k *Key, keep ...string) component.Worker {
	t.Helper()
	w, err := newEncrypter("transform.seal.x", DefaultEnvelope, keep, k)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// The signatures were made with OpenSSL over {"a":[1,2.5,"é"],"key_id":"k","z":"\n"}.
func TestSign(t *testing.T) {
	private, public := pair(t)
	for name, c := range map[string]struct{ sign, verify, want string }{
		"hmac":    {hexKey, hexKey, "RX7R+nhvZbaARdWVD2lF8DSrSw4lpAF9XYZ6w4uxZrc="},
		"ed25519": {private, public, "ZUeumDveYqXph2dDsIoZtZemFFKOt29wcYns+bLpJVVj5sD5EswJvZdRI3Kw/psZSln8pUb/eBbnDaHQF92eAQ=="},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSigner("transform.seal.x", members, key(t, c.sign, "k"))
			for range 2 { // a worker begins anew with each event
				got := mustProcess(t, w, `{"z":"\n", "a":[1.0,2.50,"\u00e9"]}`)
				want := `{"z":"\n","a":[1.0,2.50,"\u00e9"],"key_id":"k","signature":"` + c.want + `"}`
				if got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
				if err := Verify([]byte(got), []*Key{key(t, otherKey, "k"), key(t, c.verify, "")}, members); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestSignReplacesWhatStandsThere(t *testing.T) {
	w := newSigner("transform.seal.x", members, key(t, hexKey, ""))
	got := mustProcess(t, w, `{"signature":null,"key_id":7,"a":1}`)
	if !strings.HasPrefix(got, `{"signature":"`) || !strings.HasSuffix(got, `","key_id":"630dcd2966c43366","a":1}`) {
		t.Errorf("got %s", got)
	}
	if err := Verify([]byte(got), []*Key{key(t, hexKey, "")}, members); err != nil {
		t.Error(err)
	}
	if again := mustProcess(t, w, got); again != got {
		t.Errorf("signed again it is %s", again)
	}
}

func TestVerifyRefuses(t *testing.T) {
	private, public := pair(t)
	good := mustProcess(t, newSigner("transform.seal.x", members, key(t, hexKey, "k")), `{"a":1}`)
	keys := []*Key{key(t, hexKey, "k")}
	signature := good[strings.Index(good, `"signature":"`)+13 : len(good)-2]
	for name, c := range map[string]struct {
		message string
		keys    []*Key
		want    string
	}{
		"another value":           {strings.Replace(good, `"a":1`, `"a":2`, 1), keys, "it was changed"},
		"another member":          {strings.Replace(good, `"a":1`, `"a":1,"b":1`, 1), keys, "it was changed"},
		"the same member twice":   {strings.Replace(good, `"a":1`, `"a":2,"a":1`, 1), keys, "one way only"},
		"another key":             {good, []*Key{key(t, otherKey, "k")}, `"k" is another one`},
		"no key at all":           {good, nil, `"k" is another one`},
		"no signature":            {`{"a":1,"key_id":"k"}`, keys, "signature is missing"},
		"no key":                  {`{"a":1,"signature":""}`, keys, "key_id is missing"},
		"no base64":               {`{"a":1,"key_id":"k","signature":"!"}`, keys, "no base64"},
		"an empty signature":      {`{"a":1,"key_id":"k","signature":""}`, keys, "it was changed"},
		"the same with a break":   {strings.Replace(good, signature, signature[:20]+`\n`+signature[20:], 1), keys, "no base64"},
		"another last character":  {strings.Replace(good, signature, signature[:42]+"1=", 1), keys, ""},
		"a public key as secret":  {good, []*Key{key(t, public, "k")}, `"k" is another one`},
		"a private one":           {good, []*Key{key(t, private, "k")}, `"k" is another one`},
		"an integer that is lost": {`{"a":9007199254740993,"key_id":"k","signature":"AAAA"}`, keys, "9007199254740993"},
		"no JSON":                 {`{`, keys, "one way only"},
	} {
		err := Verify([]byte(c.message), c.keys, members)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEncrypt(t *testing.T) {
	k, wrong := key(t, hexKey, "k"), key(t, otherKey, "k")
	const in = `{ "z":1.50, "agent_id":"001","big":12345678901234567890,"nothing":null,"é":"\u00e9"}`
	seen := map[string]bool{}
	w := encrypterWith(t, k, "nothing", "agent_id", "not there")
	for range 2 {
		message := mustProcess(t, w, in)
		if seen[message] {
			t.Error("two messages are the same: the nonce is")
		}
		seen[message] = true
		if !strings.HasPrefix(message, `{"nothing":null,"agent_id":"001","encrypted":{"v":1,"alg":"A256GCM","kid":"k","kept":["nothing","agent_id"],"nonce":"`) {
			t.Errorf("message %s", message)
		}
		signed := mustProcess(t, newSigner("transform.seal.x", members, k), message) // what is added later does not matter
		for _, message := range []string{message, signed} {
			if got, err := Decrypt([]byte(message), []*Key{key(t, hexKey, "other"), wrong, k}, DefaultEnvelope); err != nil || string(got) != in {
				t.Errorf("got %s, %v", got, err)
			}
		}
		for name, c := range map[string]struct{ message, want string }{
			"a readable member changed": {strings.Replace(message, `"001"`, `"002"`, 1), "left readable, was changed"},
			"a readable member gone":    {strings.Replace(message, `"agent_id":"001",`, ``, 1), "left readable, was changed"},
			"less is bound":             {strings.Replace(message, `["nothing","agent_id"]`, `["nothing"]`, 1), "was changed"},
			"the envelope extended":     {strings.Replace(message, `"v":1`, `"v":1,"w":1`, 1), "was changed"},
			"another version":           {strings.Replace(message, `"v":1`, `"v":2`, 1), "version 2"},
			"another algorithm":         {strings.Replace(message, `A256GCM`, `none`, 1), `"none"`},
			"another key":               {strings.Replace(message, `"kid":"k"`, `"kid":"l"`, 1), `"l" is another one`},
			"no nonce":                  {strings.Replace(message, `"nonce":"`, `"nonce":"A`, 1), "nonce"},
			"cut":                       {strings.Replace(message, `=="}`, `"}`, 1), ""},
			"not encrypted":             {in, "encrypted is missing"},
			"an envelope of text":       {`{"encrypted":"x"}`, "encrypted is text"},
			"kept is no text":           {`{"encrypted":{"v":1,"alg":"A256GCM","kid":"k","kept":[1,null],"nonce":"AAAAAAAAAAAAAAAA","ciphertext":""}}`, "was changed"},
		} {
			if got, err := Decrypt([]byte(c.message), []*Key{wrong, k}, DefaultEnvelope); c.message != message && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%s: %s, %v", name, got, err)
			}
		}
	}
}

func TestOnlyObjects(t *testing.T) {
	k := key(t, hexKey, "")
	for _, w := range []component.Worker{newSigner("transform.seal.x", members, k), encrypterWith(t, k)} {
		for raw, code := range map[string]string{`[1]`: event.CodeNotObject, `"x"`: event.CodeNotObject, `{"a":`: event.CodeNotJSON} {
			var f *event.Failure
			if text, err := process(t, w, raw); !errors.As(err, &f) || f.Code != code {
				t.Errorf("%s: %s, %v", raw, text, err)
			}
		}
		if _, err := process(t, w, `{"a":1}`); err != nil {
			t.Errorf("after a failure: %v", err)
		}
	}
	var f *event.Failure
	if text, err := process(t, encrypterWith(t, k, "n"), `{"n":9007199254740993}`); !errors.As(err, &f) || f.Code != CodeNotCanonical {
		t.Errorf("%s, %v", text, err)
	}
}

// Whatever an event is, its message is verified and decrypted; with any byte of
// it changed it is refused, or says the same.
func FuzzSeal(f *testing.F) {
	f.Add([]byte(`{"agent_id":"001","n":[1.50,-0,1e2,9007199254740992],"t":"\u00e9\ud83d\ude00\n\u2028</"}`), uint(20), byte(1))
	f.Add([]byte(`{"signature":null,"encrypted":{},"key_id":{"a":1},"a":1,"a":2}`), uint(5), byte(0x80))
	f.Add([]byte("{\"a\":\"\xff\\ud800\"}"), uint(0), byte(32))
	private, public := pair(f)
	secret := key(f, hexKey, "k")
	signers := []*signer{newSigner("transform.seal.x", members, secret), newSigner("transform.seal.x", members, key(f, private, "k"))}
	verifiers := []*Key{secret, key(f, public, "k")}
	w := encrypterWith(f, secret, "agent_id", "a")
	f.Fuzz(func(t *testing.T, raw []byte, at uint, flip byte) {
		for i, s := range signers {
			signed, err := process(t, s, string(raw))
			if err != nil {
				continue
			}
			if err := Verify([]byte(signed), verifiers[i:i+1], members); err != nil {
				t.Fatalf("%s: %v", signed, err)
			}
			changed := []byte(signed)
			changed[at%uint(len(changed))] ^= flip
			if err := Verify(changed, verifiers[i:i+1], members); err == nil && !same(t, []byte(signed), changed) {
				t.Fatalf("%s\nis taken for\n%s", changed, signed)
			}
		}
		message, err := process(t, w, string(raw))
		if err != nil {
			return
		}
		plain, err := Decrypt([]byte(message), []*Key{secret}, DefaultEnvelope)
		if err != nil || string(plain) != string(alert(string(raw)).AppendJSON(nil)) && !same(t, plain, alert(string(raw)).AppendJSON(nil)) {
			t.Fatalf("%s becomes %s, %v", raw, plain, err)
		}
		changed := []byte(message)
		changed[at%uint(len(changed))] ^= flip
		if _, err := Decrypt(changed, []*Key{secret}, DefaultEnvelope); err == nil && !same(t, []byte(message), changed) {
			t.Fatalf("%s\nis taken for\n%s", changed, message)
		}
	})
}

// same says whether two texts are the same to encoding/json, which reads numbers as doubles.
func same(t *testing.T, a, b []byte) bool {
	var x, y any
	if err := json.Unmarshal(a, &x); err != nil {
		t.Fatal(err)
	}
	return json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

func sample(b *testing.B) string {
	b.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "testdata", "alerts", "f2b-ban-public.json"))
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(string(raw))
}

func benchmark(b *testing.B, w component.Worker) {
	raw := sample(b)
	e := alert(raw)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Process(e, func(*event.Event) {}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	private, _ := pair(b)
	b.Run("hmac", func(b *testing.B) { benchmark(b, newSigner("transform.seal.x", members, key(b, hexKey, ""))) })
	b.Run("ed25519", func(b *testing.B) { benchmark(b, newSigner("transform.seal.x", members, key(b, private, ""))) })
}

func BenchmarkEncrypt(b *testing.B) {
	benchmark(b, encrypterWith(b, key(b, hexKey, ""), "id", "timestamp"))
}

func BenchmarkVerify(b *testing.B) {
	k := key(b, hexKey, "")
	raw := sample(b)
	message := []byte(mustProcess(b, newSigner("transform.seal.x", members, k), raw))
	b.SetBytes(int64(len(message)))
	for b.Loop() {
		if err := Verify(message, []*Key{k}, members); err != nil {
			b.Fatal(err)
		}
	}
}
