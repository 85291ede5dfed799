package nats

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
)

func write(t testing.TB, name string, text []byte) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func key(t testing.TB, make func() (nkeys.KeyPair, error)) (pair nkeys.KeyPair, public, seed string) {
	t.Helper()
	pair, err := make()
	if err != nil {
		t.Fatal(err)
	}
	public, err = pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	text, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	return pair, public, string(text)
}

// authority is an operator with one account, whose users it makes.
type authority struct {
	operator, account nkeys.KeyPair
	accountPublic     string
}

// user is the JWT and seed of a user as change makes it, which may be nil.
func (a *authority) user(t testing.TB, change func(*jwt.UserClaims)) (token, seed string) {
	t.Helper()
	_, public, seed := key(t, nkeys.CreateUser)
	claims := jwt.NewUserClaims(public)
	if change != nil {
		change(claims)
	}
	token, err := claims.Encode(a.account)
	if err != nil {
		t.Fatal(err)
	}
	return token, seed
}

// creds is the text of a user's credentials file.
func (a *authority) creds(t testing.TB, change func(*jwt.UserClaims)) []byte {
	t.Helper()
	token, seed := a.user(t, change)
	text, err := jwt.FormatUserConfig(token, []byte(seed))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// jwtServer trusts an operator of the test, and knows one account, which has JetStream.
func jwtServer(t testing.TB) (f *fleet, a *authority) {
	t.Helper()
	operator, operatorPublic, _ := key(t, nkeys.CreateOperator)
	account, accountPublic, _ := key(t, nkeys.CreateAccount)
	_, systemPublic, _ := key(t, nkeys.CreateAccount)
	resolver := &server.MemAccResolver{}
	for _, public := range []string{accountPublic, systemPublic} {
		claims := jwt.NewAccountClaims(public)
		if public == accountPublic {
			claims.Limits.JetStreamLimits = jwt.JetStreamLimits{DiskStorage: -1, MemoryStorage: -1}
		}
		token, err := claims.Encode(operator)
		if err != nil {
			t.Fatal(err)
		}
		if err := resolver.Store(public, token); err != nil {
			t.Fatal(err)
		}
	}
	f = serve(t, func(o *server.Options) {
		o.NoSystemAccount = false
		o.SystemAccount = systemPublic
		o.TrustedKeys = []string{operatorPublic}
		o.AccountResolver = resolver
	})
	return f, &authority{operator, account, accountPublic}
}

func TestLogins(t *testing.T) {
	named := serve(t, func(o *server.Options) { o.Username, o.Password = "u", "p" })
	token := serve(t, func(o *server.Options) { o.Authorization = "s3cret" })
	_, public, seed := key(t, nkeys.CreateUser)
	nkey := serve(t, func(o *server.Options) { o.Nkeys = []*server.NkeyUser{{Nkey: public}} })
	operated, all := jwtServer(t)
	userJWT, userSeed := all.user(t, nil)
	for name, values := range map[string]map[string]any{
		"password":   {"url": named.url(), "username": "u", "password": "p"},
		"in the url": {"url": "nats://u:p@" + named.Addr().String()},
		"token":      {"url": token.url(), "token": "s3cret"},
		"nkey":       {"url": nkey.url(), "nkey_file": write(t, "user.nk", []byte(seed+"\n"))},
		"creds":      {"url": operated.url(), "creds_file": write(t, "user.creds", all.creds(t, nil))},
		"jwt":        {"url": operated.url(), "jwt": userJWT, "seed": userSeed},
	} {
		t.Run(name, func(t *testing.T) {
			values["jetstream"] = false
			s, h := open(t, values)
			if err := h.health(); err != nil {
				t.Fatal(err)
			}
			if found := s.Check(&h.Host); len(found) > 0 {
				t.Errorf("check: %v", found)
			}
			var o outbox
			messages := o.alerts(t, s, 1, 1)
			o.deliver(t.Context(), s, messages, 1)
			want(t, "answer", o.of(messages[0]), "done")

			values["url"] = map[bool]string{true: nkey.url(), false: named.url()}[name != "nkey" && name != "jwt" && name != "creds"]
			_, h = open(t, values)
			eventually(t, "another server refuses it", func() bool { return h.first() != nil }) // it may do so after Open
			says := "the server refuses the login by "
			if name == "in the url" { // that other one has none in it
				says = "the server wants a login"
			}
			if err := h.first(); !strings.Contains(err.Error(), says) && !errors.Is(err, client.ErrNkeysNotSupported) {
				t.Error(err)
			}
		})
	}
}

func expired(c *jwt.UserClaims) { c.Expires = time.Now().Add(-time.Hour).Unix() }

func TestCheckOfLogins(t *testing.T) {
	account, _, _ := key(t, nkeys.CreateAccount)
	all := &authority{account: account}
	token, seed := all.user(t, expired)
	fresh, _ := all.user(t, nil)
	for name, c := range map[string]struct {
		values map[string]any
		code   diag.Code
	}{
		"no creds":      {map[string]any{"creds_file": "/nowhere"}, diag.MissingFile},
		"bad creds":     {map[string]any{"creds_file": write(t, "x", []byte("x"))}, diag.InvalidLogin},
		"no nkey":       {map[string]any{"nkey_file": "/nowhere"}, diag.MissingFile},
		"bad nkey":      {map[string]any{"nkey_file": write(t, "x", []byte("x"))}, diag.InvalidLogin},
		"expired":       {map[string]any{"creds_file": write(t, "x", all.creds(t, expired))}, diag.InvalidLogin},
		"expired jwt":   {map[string]any{"jwt": token, "seed": seed}, diag.InvalidLogin},
		"other's seed":  {map[string]any{"jwt": fresh, "seed": seed}, diag.InvalidLogin},
		"not yet valid": {map[string]any{"creds_file": write(t, "x", all.creds(t, func(c *jwt.UserClaims) { c.NotBefore = time.Now().Add(time.Hour).Unix() }))}, diag.InvalidLogin},
	} {
		c.values["url"] = "nats://h"
		s, err := newSink(config(c.values))
		if err != nil {
			t.Fatal(name, err)
		}
		found := s.(component.Checker).Check(&newHost(t).Host)
		var d diag.Diagnostic
		if len(found) != 1 || !errors.As(found[0], &d) || d.Code != c.code {
			t.Errorf("%s: %v", name, found)
		}
	}
}

// A refused login says what the server does not: which one it was, and what is
// wrong with it. What was renewed is used without a restart.
func TestRefusedLoginsAreExplained(t *testing.T) {
	f, all := jwtServer(t)
	name := write(t, "user.creds", all.creds(t, expired))
	_, h := open(t, map[string]any{"url": f.url(), "jetstream": false, "creds_file": name})
	refused := func() bool { return errors.Is(h.health(), client.ErrAuthorization) } // which may come after Open
	eventually(t, "it is refused", refused)
	if err := h.health(); !strings.Contains(err.Error(), "creds_file "+name) || !strings.Contains(err.Error(), "its JWT expired on ") {
		t.Errorf("expired: %v", err)
	}
	if err := os.WriteFile(name, all.creds(t, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the new credentials are used", func() bool { return h.health() == nil })

	// One that expires while it is in use: on a slow machine it may have before that.
	for h = nil; h == nil || errors.Is(h.first(), client.ErrAuthorization); {
		soon := func(c *jwt.UserClaims) { c.Expires = time.Now().Add(2 * time.Second).Unix() }
		_, h = open(t, map[string]any{"url": f.url(), "jetstream": false, "creds_file": write(t, "x", all.creds(t, soon))})
		eventually(t, "it expires", func() bool { return h.first() != nil })
	}
	if err := h.first(); !errors.Is(err, client.ErrAuthExpired) || !strings.Contains(err.Error(), "its JWT expired on ") {
		t.Errorf("expired while connected: %v", err)
	}
	stranger, _, _ := key(t, nkeys.CreateAccount)
	_, h = open(t, map[string]any{"url": f.url(), "jetstream": false, "creds_file": write(t, "x", (&authority{account: stranger}).creds(t, nil))})
	eventually(t, "the stranger is refused", refused)
	if err := h.health(); strings.Contains(err.Error(), "JWT") {
		t.Errorf("of an account that the server does not know: %v", err)
	}
}

// JetStream under an operator's accounts, JWTs and NKeys.
func TestJetStreamOfAnAccount(t *testing.T) {
	f, all := jwtServer(t)
	creds := write(t, "user.creds", all.creds(t, nil))
	st := stream(t, js(t, f.url(), client.UserCredentials(creds)), jetstream.StreamConfig{Name: "A", Subjects: []string{"alerts.>"}})
	s, h := open(t, map[string]any{"url": f.url(), "creds_file": creds})
	if err := h.health(); err != nil {
		t.Fatal(err)
	}
	var o outbox
	o.deliver(t.Context(), s, o.alerts(t, s, 1, 100), 50)
	want(t, "stored", payloads(stored(t, st)), count(1, 100))
}

// certificate is a PEM pair, signed by the parent or by itself.
func certificate(t testing.TB, name string, parent *tls.Certificate) (pair tls.Certificate, certPEM, keyPEM []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(1000 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{name}, IsCA: parent == nil, BasicConstraintsValid: true,
	}
	signer, signing := c, any(private)
	if parent != nil {
		signer, signing = parent.Leaf, parent.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, c, signer, &private.PublicKey, signing)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	if pair, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		t.Fatal(err)
	}
	return pair, certPEM, keyPEM
}

func TestMutualTLS(t *testing.T) {
	ca, caPEM, _ := certificate(t, "ca", nil)
	serverPair, _, _ := certificate(t, "server", &ca)
	_, certPEM, keyPEM := certificate(t, "client", &ca)
	roots := x509.NewCertPool()
	roots.AddCert(ca.Leaf)
	f := serve(t, func(o *server.Options) {
		o.JetStream = false
		o.TLSConfig = &tls.Config{Certificates: []tls.Certificate{serverPair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: roots}
		o.TLS, o.TLSVerify, o.TLSTimeout = true, true, 5
	})
	files := map[string]any{
		"ca_file":   write(t, "ca.pem", caPEM),
		"cert_file": write(t, "cert.pem", certPEM),
		"key_file":  write(t, "key.pem", keyPEM),
	}
	values := func(v map[string]any) map[string]any {
		return map[string]any{"url": f.url(), "jetstream": false, "tls": &component.Config{Values: v}}
	}
	s, h := open(t, values(files))
	if err := h.health(); err != nil {
		t.Fatal(err)
	}
	want(t, "files", len(s.Files()), 3)
	if found := s.Check(&h.Host); len(found) > 0 {
		t.Errorf("check: %v", found)
	}
	var o outbox
	messages := o.alerts(t, s, 1, 1)
	o.deliver(t.Context(), s, messages, 1)
	want(t, "answer", o.of(messages[0]), "done")

	if _, h := open(t, values(map[string]any{"ca_file": files["ca_file"]})); h.health() == nil {
		t.Error("taken without a certificate")
	}
	_, other, _ := certificate(t, "other ca", nil)
	if _, h := open(t, values(map[string]any{"ca_file": write(t, "ca.pem", other), "cert_file": files["cert_file"], "key_file": files["key_file"]})); h.health() == nil {
		t.Error("the server's certificate is not verified")
	}
}

// server_name is what the certificate must be for, whatever the url says.
func TestServerName(t *testing.T) {
	ca, caPEM, _ := certificate(t, "ca", nil)
	pair, _, _ := certificate(t, "nats.internal", &ca)
	f := serve(t, func(o *server.Options) {
		o.JetStream = false
		o.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}}
		o.TLS, o.TLSTimeout = true, 5
	})
	file := write(t, "ca.pem", caPEM)
	for name, good := range map[string]bool{"nats.internal": true, "nats.elsewhere": false} {
		_, h := open(t, map[string]any{"url": f.url(), "jetstream": false, "tls": &component.Config{Values: map[string]any{"ca_file": file, "server_name": name}}})
		if err := h.health(); (err == nil) != good || !good && !strings.Contains(err.Error(), "nats.internal") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConfiguration(t *testing.T) {
	embedded := func(values map[string]any) map[string]any {
		values["embedded"] = &component.Config{Values: map[string]any{}}
		return values
	}
	for name, values := range map[string]map[string]any{
		"no url":                    {},
		"no such scheme":            {"url": "http://h"},
		"no host":                   {"url": "nats://"},
		"two logins":                {"url": "h", "token": "t", "username": "u"},
		"jwt alone":                 {"url": "h", "jwt": "j"},
		"seed that is none":         {"url": "h", "jwt": "j", "seed": "s"},
		"password alone":            {"url": "h", "password": "p"},
		"stream of core":            {"url": "h", "jetstream": false, "stream": "S"},
		"message_id of core":        {"url": "h", "jetstream": false, "message_id": template("x")},
		"constant subject":          {"url": "h", "subject": template("a.>")},
		"embedded and url":          embedded(map[string]any{"url": "h"}),
		"embedded and tls":          embedded(map[string]any{"tls": &component.Config{Values: map[string]any{}}}),
		"embedded and login":        embedded(map[string]any{"token": "t"}),
		"embedded core":             embedded(map[string]any{"jetstream": false}),
		"embedded, name of stream":  embedded(map[string]any{"stream": "a.b"}),
		"certificate without a key": {"url": "h", "tls": &component.Config{Values: map[string]any{"cert_file": "c"}}},
	} {
		if _, err := newSink(config(values)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	c := config(nil)
	c.Unknown = map[string]bool{"url": true}
	if _, err := newSink(c); err != nil {
		t.Errorf("unknown url: %v", err)
	}
	for _, name := range []string{"", "a b", "a:b", "Nats-Msg-Id", "nats-rollup"} {
		if checkHeaders([]component.NamedTemplate{header(name, "x")}) == nil {
			t.Errorf("header %q: accepted", name)
		}
	}
}
