package agents

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// How many agents are asked for at once: wazuh-db cuts an answer off at 64 KiB.
const (
	socketReadings = 250
	socketDetails  = 50
)

// socketTimeout is how long wazuh-db may take for one answer.
const socketTimeout = 10 * time.Second

// wdb asks wazuh-db on its socket. It sees what is not yet committed. It asks for the
// ids with get-all-agents, which says when there are more, and for columns with
// sql, as Wazuh's own API does: get-agent-info would give internal_key away.
type wdb struct {
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	name    string
	conn    net.Conn
	buffer  []byte
	columns map[string]bool
}

// refusal is an answer that says no: the connection is as good as before.
type refusal struct{ text string }

func (r refusal) Error() string { return "wazuh-db refuses: " + r.text }

// errCut is an answer that wazuh-db has cut off.
var errCut = errors.New("an answer of wazuh-db is too long for it")

// Changed can't be told without reading.
func (w *wdb) Changed(context.Context) (bool, error) { return true, nil }

// Readings asks for all ids and, page by page, for the columns of the status.
func (w *wdb) Readings(ctx context.Context, dst []reading) ([]reading, bool, error) {
	err := w.open(ctx)
	for last, more := int64(0), true; err == nil && more; {
		var ids []int64
		if ids, more, err = w.ids(ctx, last); err != nil || len(ids) == 0 {
			break
		}
		for page := range slices.Chunk(ids, socketReadings) {
			if dst, err = w.page(ctx, dst, page); err != nil {
				break
			}
		}
		last = ids[len(ids)-1]
	}
	return dst, false, w.failed(err)
}

// ids are those behind last; more says that there are more than fit.
func (w *wdb) ids(ctx context.Context, last int64) (ids []int64, more bool, err error) {
	payload, more, err := w.ask(ctx, "global get-all-agents last_id "+strconv.FormatInt(last, 10))
	if err != nil {
		return nil, false, err
	}
	return parseIDs(payload, last, more)
}

// parseIDs reads the answer to get-all-agents.
func parseIDs(payload []byte, last int64, more bool) ([]int64, bool, error) {
	var rows []struct{ ID int64 }
	if err := json.Unmarshal(payload, &rows); err != nil {
		return nil, false, fmt.Errorf("reading the ids of wazuh-db: %w", err)
	}
	ids := make([]int64, 0, len(rows))
	for _, row := range rows {
		if row.ID > 0 {
			ids = append(ids, row.ID)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if more && (len(ids) == 0 || ids[0] <= last) {
		return nil, false, errors.New("reading the ids of wazuh-db: it repeats itself")
	}
	return ids, more, nil
}

// page appends the readings of agents with ids, as far as they are still there.
func (w *wdb) page(ctx context.Context, dst []reading, ids []int64) ([]reading, error) {
	payload, err := w.query(ctx, ids, readingColumns)
	if errors.Is(err, errCut) && len(ids) > 1 {
		half := len(ids) / 2
		if dst, err = w.page(ctx, dst, ids[:half]); err != nil {
			return dst, err
		}
		return w.page(ctx, dst, ids[half:])
	}
	if err != nil {
		return dst, err
	}
	return appendReadings(dst, payload)
}

// appendReadings reads rows of the status.
func appendReadings(dst []reading, payload []byte) ([]reading, error) {
	var rows []row
	if err := json.Unmarshal(payload, &rows); err != nil {
		return dst, fmt.Errorf("reading the agents of wazuh-db: %w", err)
	}
	for _, r := range rows {
		if r.ID <= 0 || len(dst) > 0 && dst[len(dst)-1].ID >= r.ID {
			return dst, errors.New("reading the agents of wazuh-db: they are not in the order asked for")
		}
		dst = append(dst, r.reading())
	}
	return dst, nil
}

// row is a row as wazuh-db writes it: what is null is left out.
type row struct {
	ID            int64  `json:"id"`
	DateAdd       number `json:"date_add"`
	Status        string `json:"connection_status"`
	Code          number `json:"status_code"`
	Disconnection number `json:"disconnection_time"`
	Keepalive     number `json:"last_keepalive"`

	Name       string `json:"name"`
	IP         string `json:"ip"`
	Version    string `json:"version"`
	Node       string `json:"node_name"`
	Group      string `json:"group"`
	OSName     string `json:"os_name"`
	OSVersion  string `json:"os_version"`
	OSPlatform string `json:"os_platform"`
	OSArch     string `json:"os_arch"`
}

// number is a whole number, which SQLite may also have stored as text.
type number int64

func (n *number) UnmarshalJSON(text []byte) error {
	f, err := strconv.ParseFloat(strings.Trim(string(text), `"`), 64)
	if err != nil || f != f || f < -1<<53 || f > 1<<53 {
		*n = 0
		return nil //nolint:nilerr // what is no number says nothing
	}
	*n = number(f)
	return nil
}

func (r row) reading() reading {
	return reading{
		ID: r.ID, Added: int64(r.DateAdd), Status: parseStatus(r.Status),
		Code: int32(r.Code), Disconnected: int64(r.Disconnection), Keepalive: int64(r.Keepalive), //nolint:gosec // 0 to 5
	}
}

func (r row) details() details {
	return details{Name: r.Name, IP: r.IP, Shared: share(profile{
		Version: r.Version, Node: r.Node, Groups: r.Group,
		OS: system{Name: r.OSName, Version: r.OSVersion, Platform: r.OSPlatform, Arch: r.OSArch},
	})}
}

// Details asks for the rest of some rows.
func (w *wdb) Details(ctx context.Context, ids []int64) (map[int64]details, error) {
	found := make(map[int64]details, len(ids))
	err := w.open(ctx)
	for page := range slices.Chunk(ids, socketDetails) {
		if err == nil {
			err = w.some(ctx, found, page)
		}
	}
	return found, w.failed(err)
}

func (w *wdb) some(ctx context.Context, found map[int64]details, ids []int64) error {
	payload, err := w.query(ctx, ids, detailColumns)
	if errors.Is(err, errCut) && len(ids) > 1 {
		half := len(ids) / 2
		if err := w.some(ctx, found, ids[:half]); err != nil {
			return err
		}
		return w.some(ctx, found, ids[half:])
	}
	if err != nil {
		return err
	}
	var rows []row
	if err := json.Unmarshal(payload, &rows); err != nil {
		return fmt.Errorf("reading the agents of wazuh-db: %w", err)
	}
	for _, r := range rows {
		found[r.ID] = r.details()
	}
	return nil
}

// query selects columns of the agents with ids.
func (w *wdb) query(ctx context.Context, ids []int64, wanted [][]string) ([]byte, error) {
	var list []byte
	for i, id := range ids {
		if i > 0 {
			list = append(list, ',')
		}
		list = strconv.AppendInt(list, id, 10)
	}
	payload, _, err := w.ask(ctx, fmt.Sprintf("global sql select %s from agent where id in (%s) order by id", selection(w.columns, wanted), list))
	if err == nil && !json.Valid(payload) {
		return nil, errCut
	}
	return payload, err
}

// ask sends a request and reads its answer; more says that it is not all.
func (w *wdb) ask(ctx context.Context, request string) (payload []byte, more bool, err error) {
	if err := w.conn.SetDeadline(time.Now().Add(socketTimeout)); err != nil {
		return nil, false, fmt.Errorf("asking wazuh-db: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = w.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := w.conn.Write(appendFrame(nil, request)); err != nil {
		return nil, false, fmt.Errorf("asking wazuh-db: %w", err)
	}
	answer, err := readFrame(w.conn, w.buffer)
	if err != nil {
		return nil, false, fmt.Errorf("reading wazuh-db's answer: %w", err)
	}
	return parseAnswer(answer)
}

// parseAnswer takes an answer of wazuh-db apart.
func parseAnswer(answer []byte) (payload []byte, more bool, err error) {
	word, payload, _ := bytes.Cut(answer, []byte(" "))
	switch string(word) {
	case "ok":
		return payload, false, nil
	case "due":
		return payload, true, nil
	case "err":
		return nil, false, refusal{string(payload)}
	default:
		return nil, false, fmt.Errorf("wazuh-db answers %.40q", answer)
	}
}

// open connects, and asks which columns this version has.
func (w *wdb) open(ctx context.Context) error {
	if w.conn != nil {
		return nil
	}
	conn, err := w.dial(ctx, "unix", w.name)
	if err != nil {
		return Unreadable("socket", w.name, err)
	}
	w.conn = conn
	if w.buffer == nil {
		w.buffer = make([]byte, largestFrame)
	}
	payload, _, err := w.ask(ctx, "global sql PRAGMA table_info(agent)")
	if err != nil {
		return err
	}
	var rows []struct{ Name string }
	if err := json.Unmarshal(payload, &rows); err != nil {
		return fmt.Errorf("reading the columns of wazuh-db: %w", err)
	}
	w.columns = map[string]bool{}
	for _, r := range rows {
		w.columns[r.Name] = true
	}
	if !w.columns["id"] {
		return errors.New("wazuh-db has no table agent: the socket is not that of a manager")
	}
	return nil
}

// failed ends the connection after err: the next read asks for the columns anew.
func (w *wdb) failed(err error) error {
	if err != nil {
		w.Close()
	}
	return err
}

// Close hangs up.
func (w *wdb) Close() {
	if w.conn != nil {
		_ = w.conn.Close()
		w.conn = nil
	}
}
