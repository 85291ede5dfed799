package kafka

import (
	"context"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/world"
)

var saslBlock = component.BlockSpec{
	Name: "sasl",
	Doc:  "Logs in with user name and password.",
	Attrs: []component.Attr{
		{Name: "mechanism", Type: component.TypeEnum, Enum: []string{"plain", "scram-sha-256", "scram-sha-512"}, Required: true,
			Doc: "How the password is shown to the broker. `plain` sends it as it is: use it with `tls` only."},
		{Name: "username", Type: component.TypeString, Required: true, Doc: "User name."},
		{Name: "password", Type: component.TypeString, Secret: true, Doc: "Password. Better: `password_file`."},
		{Name: "password_file", Type: component.TypeReadPath,
			Doc: "File with the password; a line break at its end is not part of it. It is read again at each new connection."},
	},
}

// checkLogin says whether the block has exactly one password.
func checkLogin(c *component.Config) error {
	if c == nil || !c.Known("password") || !c.Known("password_file") || c.Has("password") != c.Has("password_file") {
		return nil
	}
	if c.Has("password") {
		return c.Error("password", diag.InvalidValue, "password and password_file are both written", "leave one of them out")
	}
	return c.Error("", diag.MissingAttribute, "sasl needs a password", "write password_file = \"…\"")
}

// mechanism is how to log in; nil without a login. The password is read for
// each connection.
func mechanism(c *component.Config, fs world.FS) sasl.Mechanism {
	if c == nil {
		return nil
	}
	user := c.String("username")
	switch c.String("mechanism") {
	case "scram-sha-256":
		return scram.Sha256(func(context.Context) (scram.Auth, error) {
			pass, err := password(c, fs)
			return scram.Auth{User: user, Pass: pass}, err
		})
	case "scram-sha-512":
		return scram.Sha512(func(context.Context) (scram.Auth, error) {
			pass, err := password(c, fs)
			return scram.Auth{User: user, Pass: pass}, err
		})
	default:
		return plain.Plain(func(context.Context) (plain.Auth, error) {
			pass, err := password(c, fs)
			return plain.Auth{User: user, Pass: pass}, err
		})
	}
}

func password(c *component.Config, fs world.FS) (string, error) {
	if !c.Has("password_file") {
		return c.String("password"), nil
	}
	content, err := fs.ReadFile(c.String("password_file"))
	if err != nil {
		return "", fmt.Errorf("reading password_file: %w", err)
	}
	return strings.TrimRight(string(content), "\r\n"), nil
}
