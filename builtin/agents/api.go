package agents

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
)

const (
	apiRows     = 500 // agents in one answer: the API's own default
	apiSelected = "id,name,ip,status,status_code,version,group,node_name,dateAdd,lastKeepAlive,disconnection_time,os.name,os.version,os.platform,os.arch"
)

// api asks the Wazuh API. An answer has everything of an agent, so that Details
// asks nobody.
type api struct {
	*account
	release func() error      // of account
	details map[int64]details // of the last read
}

// newAPI asks as the account of the block c, which sources of one connection share.
func newAPI(host *component.Host, c *component.Config) (*api, error) {
	open := func(_ context.Context, host *component.Host) (*account, error) { return newAccount(host, c) }
	a, release, err := component.Share(context.Background(), host, open)
	if err != nil {
		return nil, err
	}
	return &api{account: a, release: release}, nil
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

// said is the message of an answer that says no.
func said(body []byte) string {
	var problem struct{ Title, Detail string }
	if json.Unmarshal(body, &problem) == nil && problem.Title+problem.Detail != "" {
		return strings.Trim(problem.Title+": "+problem.Detail, ": ")
	}
	return fmt.Sprintf("%.100q", body)
}

// Close lets go of the account.
func (a *api) Close() { _ = a.release() }
