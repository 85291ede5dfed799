package nats

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/nats-io/jwt/v2"
	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/world"
)

// login is how the sink shows who it is; at most one of the ways is set.
type login struct {
	credsFile, nkeyFile string
	jwt, seed           string
	username, password  string
	token               string
	inURL               bool // a url has a user or a token; what is set besides goes before it
}

// ways are the attributes of which one pipeline writes at most one.
var ways = []string{"creds_file", "nkey_file", "jwt", "username", "token"}

func newLogin(c *component.Config) login {
	return login{
		credsFile: c.String("creds_file"), nkeyFile: c.String("nkey_file"),
		jwt: c.String("jwt"), seed: c.String("seed"),
		username: c.String("username"), password: c.String("password"), token: c.String("token"),
	}
}

// contradictions are the attributes that don't go together.
func (l login) contradictions(c *component.Config) (found []error) {
	first := ""
	for _, way := range ways {
		if !c.Has(way) {
			continue
		}
		if first != "" {
			found = append(found, c.Error(way, diag.InvalidValue, fmt.Sprintf("%s and %s are two logins, a connection has one", first, way), ""))
			continue
		}
		first = way
	}
	for _, pair := range [][2]string{{"jwt", "seed"}, {"seed", "jwt"}, {"password", "username"}} {
		if name, other := pair[0], pair[1]; c.Has(name) && !c.Has(other) && c.Known(other) {
			found = append(found, c.Error(name, diag.MissingAttribute, name+" needs "+other, ""))
		}
	}
	if c.Has("seed") {
		if _, err := nkeys.FromSeed([]byte(l.seed)); err != nil {
			found = append(found, c.Error("seed", diag.InvalidLogin, "the seed is no NKey seed: "+err.Error(), "it begins with SU"))
		}
	}
	return found
}

// options adds the login. Files are read at each connection, so that what was
// renewed is used.
func (l login) options(options []client.Option, files world.FS) ([]client.Option, error) {
	switch {
	case l.credsFile != "":
		token, pair, err := readCreds(files, l.credsFile)
		if err != nil {
			return nil, err
		}
		return append(options, client.UserJWT(func() (string, error) { return token, nil }, pair.Sign)), nil
	case l.nkeyFile != "":
		pair, err := readKey(files, l.nkeyFile)
		if err != nil {
			return nil, err
		}
		public, err := pair.PublicKey()
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", l.nkeyFile, err)
		}
		return append(options, client.Nkey(public, pair.Sign)), nil
	case l.jwt != "":
		return append(options, client.UserJWTAndSeed(l.jwt, l.seed)), nil
	case l.username != "":
		return append(options, client.UserInfo(l.username, l.password)), nil
	case l.token != "":
		return append(options, client.Token(l.token)), nil
	}
	return options, nil
}

func readCreds(files world.FS, name string) (token string, pair nkeys.KeyPair, err error) {
	text, err := files.ReadFile(name)
	if err != nil {
		return "", nil, fmt.Errorf("reading creds_file: %w", err)
	}
	if token, err = nkeys.ParseDecoratedJWT(text); err != nil {
		return "", nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if pair, err = nkeys.ParseDecoratedUserNKey(text); err != nil {
		return "", nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return token, pair, nil
}

func readKey(files world.FS, name string) (nkeys.KeyPair, error) {
	text, err := files.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading nkey_file: %w", err)
	}
	pair, err := nkeys.ParseDecoratedNKey(text)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return pair, nil
}

// holder is the JWT of the login with its key; "" if it has none.
func (l login) holder(files world.FS) (token string, pair nkeys.KeyPair, err error) {
	switch {
	case l.credsFile != "":
		return readCreds(files, l.credsFile)
	case l.jwt != "":
		pair, err = nkeys.FromSeed([]byte(l.seed))
		return l.jwt, pair, err
	}
	return "", nil, nil
}

// stale is what a server would have against a JWT, without saying so.
func stale(token string, pair nkeys.KeyPair, now time.Time) error {
	claims, err := jwt.DecodeUserClaims(token)
	if err != nil {
		return fmt.Errorf("its JWT is none of a user: %w", err)
	}
	public, err := pair.PublicKey()
	if err != nil {
		return err
	}
	const layout = "2 January 2006, 15:04:05 MST"
	switch until, from := time.Unix(claims.Expires, 0).UTC(), time.Unix(claims.NotBefore, 0).UTC(); {
	case claims.Subject != public:
		return errors.New("its seed is the key of another JWT")
	case claims.Expires != 0 && now.After(until):
		return errors.New("its JWT expired on " + until.Format(layout))
	case claims.NotBefore != 0 && now.Before(from):
		return errors.New("its JWT is valid from " + from.Format(layout) + " on: is this machine's clock right?")
	}
	return nil
}

// way is the attribute of the login, in words.
func (l login) way() string {
	switch {
	case l.credsFile != "":
		return "creds_file " + l.credsFile
	case l.nkeyFile != "":
		return "nkey_file " + l.nkeyFile
	case l.jwt != "":
		return "jwt and seed"
	case l.username != "":
		return "username " + l.username
	case l.token != "":
		return "token"
	}
	return "the url"
}

// explain says what a server does not say of a login that it refuses.
func (l login) explain(err error, w world.World) error {
	if !errors.Is(err, client.ErrAuthorization) && !errors.Is(err, client.ErrAuthExpired) && !errors.Is(err, client.ErrAuthRevoked) && !errors.Is(err, client.ErrAccountAuthExpired) {
		return err
	}
	if l.way() == "the url" && !l.inURL {
		return fmt.Errorf("the server wants a login, and none is written (%s, or one in the url): %w", strings.Join(ways, ", "), err)
	}
	why := ""
	if token, pair, unread := l.holder(w.FS); unread == nil && token != "" {
		if bad := stale(token, pair, w.Now()); bad != nil {
			why = ", " + bad.Error()
		}
	}
	return fmt.Errorf("the server refuses the login by %s%s: %w", l.way(), why, err)
}

// check says what is wrong with the files, and with a JWT.
func (l login) check(c *component.Config, host *component.Host) []error {
	attr := "jwt"
	var token string
	var pair nkeys.KeyPair
	var err error
	switch {
	case l.credsFile != "":
		attr = "creds_file"
		token, pair, err = readCreds(host.FS, l.credsFile)
	case l.nkeyFile != "":
		attr = "nkey_file"
		_, err = readKey(host.FS, l.nkeyFile)
	case l.jwt != "":
		token, pair, err = l.holder(host.FS)
	}
	if err == nil && token != "" {
		if err = stale(token, pair, host.Now()); err != nil {
			err = fmt.Errorf("%s: %w", l.way(), err)
		}
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return []error{c.Error(attr, diag.MissingFile, "there is no file "+c.String(attr), "")}
	}
	return []error{c.Error(attr, diag.InvalidLogin, err.Error(), "")}
}
