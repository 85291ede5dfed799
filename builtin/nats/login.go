package nats

import (
	"errors"
	"fmt"
	"io/fs"

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

// check says what is wrong with the files.
func (l login) check(c *component.Config, files world.FS) []error {
	var attr string
	var err error
	switch {
	case l.credsFile != "":
		attr = "creds_file"
		_, _, err = readCreds(files, l.credsFile)
	case l.nkeyFile != "":
		attr = "nkey_file"
		_, err = readKey(files, l.nkeyFile)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return []error{c.Error(attr, diag.MissingFile, "there is no file "+c.String(attr), "")}
	}
	return []error{c.Error(attr, diag.InvalidLogin, err.Error(), "")}
}
