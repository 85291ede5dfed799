package agents

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// token is what the API gives for a login.
type token struct {
	text    string
	expires time.Time // zero if it does not say
}

// parseToken reads when a JSON Web Token ends. It checks nothing: the token is
// not for us.
func parseToken(text string) token {
	t := token{text: strings.TrimSpace(text)}
	parts := strings.Split(t.text, ".")
	if len(parts) != 3 {
		return t
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return t
	}
	var claims struct {
		Exp float64 `json:"exp"`
	}
	if json.Unmarshal(payload, &claims) == nil && claims.Exp > 0 && claims.Exp < 1<<40 {
		t.expires = time.Unix(int64(claims.Exp), 0)
	}
	return t
}

// margin is how long before its end a token is renewed.
const margin = 30 * time.Second

// valid says whether it is still worth a try.
func (t token) valid(now time.Time) bool {
	return t.text != "" && (t.expires.IsZero() || now.Before(t.expires.Add(-margin)))
}
