package agents

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/wazuh-etl/etl/builtin/tlsconfig"
	"github.com/wazuh-etl/etl/runtime/component"
)

const (
	apiRows     = 500 // agents in one answer: the API's own default
	apiTimeout  = 30 * time.Second
	apiAnswer   = 32 << 20    // bytes of an answer at most
	apiLockout  = time.Minute // after a login that was refused: 50 of them lock the address out
	apiTooMany  = time.Minute // after an answer 429 that does not say how long
	apiSelected = "id,name,ip,status,status_code,version,group,node_name,dateAdd,lastKeepAlive,disconnection_time,os.name,os.version,os.platform,os.arch"
)

// api asks the Wazuh API. An answer has everything of an agent, so that Details
// asks nobody.
type api struct {
	url            string
	user, password string
	client         *http.Client
	pace           *rate.Limiter
	now            func() time.Time
	token          token
	details        map[int64]details // of the last read
}

func newAPI(host *component.Host, c *component.Config) (*api, error) {
	tls, err := tlsconfig.Build(c, host.FS)
	if err != nil {
		return nil, err
	}
	perSecond := c.Rate("requests")
	return &api{
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

// Changed can't be told without reading.
func (a *api) Changed(context.Context) (bool, error) { return true, nil }

// Readings asks for all agents, a page at a time, each from the last id on: an agent
// that is removed meanwhile moves no other one out of sight.
func (a *api) Readings(ctx context.Context, dst []reading) ([]reading, bool, error) {
	known := map[int64]details{}
	for last := int64(0); ; {
		body, err := a.get(ctx, "/agents?"+url.Values{
			"q": {"id>" + strconv.FormatInt(last, 10)}, "sort": {"+id"}, "limit": {strconv.Itoa(apiRows)}, "select": {apiSelected},
		}.Encode())
		if err != nil {
			return dst, false, err
		}
		n := len(dst)
		if dst, err = appendItems(dst, known, last, body); err != nil {
			return dst, false, err
		}
		if len(dst)-n < apiRows {
			break
		}
		last = dst[len(dst)-1].ID
	}
	a.details = known
	return dst, false, nil
}

// item is an agent as the API writes it.
type item struct {
	ID            string    `json:"id"`
	Name          string    `json:"name"`
	IP            string    `json:"ip"`
	Status        string    `json:"status"`
	Code          int32     `json:"status_code"`
	Version       string    `json:"version"`
	Group         []string  `json:"group"`
	Node          string    `json:"node_name"`
	DateAdd       timestamp `json:"dateAdd"`
	LastKeepAlive timestamp `json:"lastKeepAlive"`
	Disconnection timestamp `json:"disconnection_time"`
	OS            system    `json:"os"`
}

// timestamp is a time, or nothing where it is none.
type timestamp int64

func (t *timestamp) UnmarshalJSON(text []byte) error {
	*t = 0
	if at, err := time.Parse(time.RFC3339, strings.Trim(string(text), `"`)); err == nil && at.Unix() > 0 {
		*t = timestamp(at.Unix())
	}
	return nil
}

// appendItems reads an answer to GET /agents.
func appendItems(dst []reading, known map[int64]details, last int64, body []byte) ([]reading, error) {
	var answer struct {
		Data struct {
			Items  []item `json:"affected_items"`
			Failed int    `json:"total_failed_items"`
		} `json:"data"`
		Message string `json:"message"`
		Error   int    `json:"error"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return dst, fmt.Errorf("reading the API's agents: %w", err)
	}
	if answer.Error != 0 || answer.Data.Failed > 0 { // what is not all of them would look like removed agents
		return dst, fmt.Errorf("the API gives not all agents: error %d, %s", answer.Error, answer.Message)
	}
	for _, i := range answer.Data.Items {
		id, err := strconv.ParseInt(i.ID, 10, 64)
		if err != nil || id <= last {
			return dst, fmt.Errorf("reading the API's agents: id %.20q is not in the order asked for", i.ID)
		}
		last = id
		dst = append(dst, reading{
			ID: id, Added: int64(i.DateAdd), Status: parseStatus(i.Status), Code: i.Code,
			Disconnected: int64(i.Disconnection), Keepalive: int64(i.LastKeepAlive),
		})
		known[id] = details{Name: i.Name, IP: i.IP, Shared: share(profile{Version: i.Version, Node: i.Node, Groups: strings.Join(i.Group, ","), OS: i.OS})}
	}
	return dst, nil
}

// Details are what the last read has brought.
func (a *api) Details(_ context.Context, ids []int64) (map[int64]details, error) {
	found := make(map[int64]details, len(ids))
	for _, id := range ids {
		if d, ok := a.details[id]; ok {
			found[id] = d
		}
	}
	a.details = nil
	return found, nil
}

// get asks for a path. A token that is refused is renewed once.
func (a *api) get(ctx context.Context, path string) ([]byte, error) {
	for retried := false; ; retried = true {
		if !a.token.valid(a.now()) {
			if err := a.login(ctx); err != nil {
				return nil, err
			}
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url+path, nil)
		if err != nil {
			return nil, fmt.Errorf("asking the API: %w", err)
		}
		request.Header.Set("Authorization", "Bearer "+a.token.text)
		status, body, err := a.do(request)
		switch {
		case err != nil:
			return nil, err
		case status == http.StatusOK:
			return body, nil
		case status == http.StatusUnauthorized:
			a.token = token{}
			if retried {
				return nil, later(apiLockout, "the API refuses a token that it has just given: %s", said(body))
			}
		default:
			return nil, fmt.Errorf("the API answers %d: %s", status, said(body))
		}
	}
}

// login asks for a new token.
func (a *api) login(ctx context.Context) error {
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
		return later(apiLockout, "the API refuses the login of %s (%d): %s", a.user, status, said(body))
	case status != http.StatusOK:
		return fmt.Errorf("logging in: the API answers %d: %s", status, said(body))
	}
	if a.token = parseToken(string(body)); a.token.text == "" {
		return errors.New("logging in: the API gives no token")
	}
	return nil
}

// do sends a request when the rate allows it, and reads the answer.
func (a *api) do(request *http.Request) (status int, body []byte, err error) {
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
		return 0, nil, later(wait, "the API has had too many requests: %s", said(body))
	}
	return answer.StatusCode, body, nil
}

// said is the message of an answer that says no.
func said(body []byte) string {
	var problem struct{ Title, Detail string }
	if json.Unmarshal(body, &problem) == nil && problem.Title+problem.Detail != "" {
		return strings.Trim(problem.Title+": "+problem.Detail, ": ")
	}
	return fmt.Sprintf("%.100q", body)
}

// Close lets go of idle connections.
func (a *api) Close() { a.client.CloseIdleConnections() }
