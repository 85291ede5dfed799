//go:build integration

package servers

import (
	"fmt"
	"testing"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	"github.com/wazuh-etl/etl/testdata/certs"
)

// NATSGuard is how a server knows its clients: by a certificate of its authority, and by a
// JWT that an account has signed, whose NKey the client proves to have.
type NATSGuard struct {
	CAFile, CertFile, KeyFile string // a client's
	// CredsFile is the login of a user who may publish below wazuh. and see which streams there are,
	// and nothing else.
	CredsFile string

	admin  string // credentials of a user who may do everything
	config string // the server's file
}

// newGuard writes the files of a guard into dir.
func newGuard(t testing.TB, dir string) *NATSGuard {
	t.Helper()
	g := &NATSGuard{}
	authority := certs.NewAuthority(t)
	server := authority.Issue(t, "nats")
	cert, key := certs.Write(t, dir, "server.pem", server.Cert), certs.Write(t, dir, "server-key.pem", server.Key)
	g.CAFile, g.CertFile, g.KeyFile = authority.Files(t, dir, authority.Issue(t, "client"))

	operator, operatorName := pair(t, nkeys.CreateOperator)
	account, accountName := pair(t, nkeys.CreateAccount)
	_, systemName := pair(t, nkeys.CreateAccount)
	claims := jwt.NewAccountClaims(accountName)
	claims.Limits.JetStreamLimits = jwt.JetStreamLimits{MemoryStorage: jwt.NoLimit, DiskStorage: jwt.NoLimit, Streams: jwt.NoLimit, Consumer: jwt.NoLimit}
	g.CredsFile = certs.Write(t, dir, "user.creds", user(t, account, func(u *jwt.UserClaims) {
		u.Pub.Allow.Add("wazuh.>", "$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.INFO.>")
		u.Sub.Allow.Add("_INBOX.>")
	}))
	g.admin = certs.Write(t, dir, "admin.creds", user(t, account, func(*jwt.UserClaims) {}))
	g.config = certs.Write(t, dir, "nats.conf", fmt.Appendf(nil, `
operator: %s
system_account: %s
resolver: MEMORY
resolver_preload: { %s: %s, %s: %s }
tls: { cert_file: %q, key_file: %q, ca_file: %q, verify: true }
`, encoded(t, jwt.NewOperatorClaims(operatorName), operator), systemName,
		accountName, encoded(t, claims, operator), systemName, encoded(t, jwt.NewAccountClaims(systemName), operator),
		cert, key, g.CAFile))
	return g
}

// user is the credentials file of a new user of an account.
func user(t testing.TB, account nkeys.KeyPair, may func(*jwt.UserClaims)) []byte {
	t.Helper()
	key, name := pair(t, nkeys.CreateUser)
	claims := jwt.NewUserClaims(name)
	may(claims)
	seed, err := key.Seed()
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.FormatUserConfig(encoded(t, claims, account), seed)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func pair(t testing.TB, create func() (nkeys.KeyPair, error)) (key nkeys.KeyPair, name string) {
	t.Helper()
	key, err := create()
	if err != nil {
		t.Fatal(err)
	}
	if name, err = key.PublicKey(); err != nil {
		t.Fatal(err)
	}
	return key, name
}

func encoded(t testing.TB, claims jwt.Claims, by nkeys.KeyPair) string {
	t.Helper()
	text, err := claims.Encode(by)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
