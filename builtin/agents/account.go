package agents

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/wazuh-etl/etl/builtin/tlsconfig"
	"github.com/wazuh-etl/etl/runtime/component"
)

const (
	apiTimeout = 30 * time.Second
	apiAnswer  = 32 << 20    // bytes of an answer at most
	apiLockout = time.Minute // after a login that was refused: 50 of them lock the address out
	apiTooMany = time.Minute // after an answer 429 that does not say how long
)

// account is a user of the Wazuh API: one login, one token and one rate for all
// sources that share it, since the API counts them together. It is safe for
// concurrent use.
type account struct {
	url            string
	user, password string
	client         *http.Client
	pace           *rate.Limiter
	now            func() time.Time

	mu    sync.Mutex // held while one logs in for all
	token token

	peace sync.Mutex // guards the rest
	until time.Time  // the API is left alone until then
	why   error
}

func newAccount(host *component.Host, c *component.Config) (*account, error) {
	tls, err := tlsconfig.Build(c, host.FS)
	if err != nil {
		return nil, err
	}
	perSecond := c.Rate("requests")
	return &account{
		url: strings.TrimRight(c.String("url"), "/"), user: c.String("user"), password: c.String("password"),
		client: &http.Client{
			Timeout: apiTimeout,
			Transport: &http.Transport{
				DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
					return host.Dial(ctx, network, address)
				},
				TLSClientConfig: tls, IdleConnTimeout: 90 * time.Second, MaxIdleConns: 1,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		pace: rate.NewLimiter(rate.Limit(perSecond), max(1, int(perSecond*10))),
		now:  host.Now,
	}, nil
}

// get asks for a path. A token that is refused is renewed once.
func (a *account) get(ctx context.Context, path string) ([]byte, error) {
	for retried := false; ; retried = true {
		token, err := a.bearer(ctx)
		if err != nil {
			return nil, err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url+path, nil)
		if err != nil {
			return nil, fmt.Errorf("asking the API: %w", err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		status, body, err := a.do(request)
		switch {
		case err != nil:
			return nil, err
		case status == http.StatusOK:
			return body, nil
		case status == http.StatusUnauthorized:
			a.forget(token)
			if retried {
				return nil, a.leave(apiLockout, "the API refuses a token that it has just given: %s", said(body))
			}
		default:
			return nil, fmt.Errorf("the API answers %d: %s", status, said(body))
		}
	}
}

// bearer is a token that is worth a try: one asks for it, and the others have it too.
func (a *account) bearer(ctx context.Context) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.token.valid(a.now()) {
		if err := a.login(ctx); err != nil {
			return "", err
		}
	}
	return a.token.text, nil
}

// forget drops a token that was refused, unless there is another one already.
func (a *account) forget(text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token.text == text {
		a.token = token{}
	}
}

// login asks for a new token. The caller has a.mu.
func (a *account) login(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url+"/security/user/authenticate?raw=true", nil)
	if err != nil {
		return fmt.Errorf("logging in: %w", err)
	}
	request.SetBasicAuth(a.user, a.password)
	status, body, err := a.do(request)
	switch {
	case err != nil:
		return err
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return a.leave(apiLockout, "the API refuses the login of %s (%d): %s", a.user, status, said(body))
	case status != http.StatusOK:
		return fmt.Errorf("logging in: the API answers %d: %s", status, said(body))
	}
	if a.token = parseToken(string(body)); a.token.text == "" {
		return errors.New("logging in: the API gives no token")
	}
	return nil
}

// do sends a request when the rate allows it, and reads the answer.
func (a *account) do(request *http.Request) (status int, body []byte, err error) {
	if err := a.left(); err != nil {
		return 0, nil, err
	}
	if err := a.pace.Wait(request.Context()); err != nil {
		return 0, nil, err
	}
	answer, err := a.client.Do(request)
	if err != nil {
		return 0, nil, fmt.Errorf("asking the API: %w", err)
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(io.LimitReader(answer.Body, apiAnswer+1))
	switch {
	case err != nil:
		return 0, nil, fmt.Errorf("reading the API's answer: %w", err)
	case len(body) > apiAnswer:
		return 0, nil, fmt.Errorf("the API's answer is longer than %d bytes", apiAnswer)
	case answer.StatusCode == http.StatusTooManyRequests:
		wait := apiTooMany
		if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil && seconds > 0 && seconds <= 3600 {
			wait = time.Duration(seconds) * time.Second
		}
		return 0, nil, a.leave(wait, "the API has had too many requests: %s", said(body))
	}
	return answer.StatusCode, body, nil
}

// leave makes all leave the API alone for a while.
func (a *account) leave(wait time.Duration, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	a.peace.Lock()
	defer a.peace.Unlock()
	a.until, a.why = a.now().Add(wait), err
	return patience{err, wait}
}

// left is why the API is left alone now; nil if it is not.
func (a *account) left() error {
	a.peace.Lock()
	defer a.peace.Unlock()
	if rest := a.until.Sub(a.now()); rest > 0 {
		return patience{a.why, rest}
	}
	return nil
}

// Close lets go of idle connections.
func (a *account) Close() error {
	a.client.CloseIdleConnections()
	return nil
}
