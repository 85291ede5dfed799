package watch

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// told is an event of an agent, so many seconds after noon; more are members that differ.
func told(kind, id string, after int, more map[string]any) []byte {
	at := noon.Add(time.Duration(after) * time.Second).Format(time.RFC3339)
	e := map[string]any{
		"schema_version": "1.0", "event_id": fmt.Sprintf("evt_%s_%d_%s", id, after, kind), "event_type": kind, "timestamp": at,
		"manager_node": "m1", "agent_id": id, "agent_name": "agent-" + id, "agent_version": "Wazuh v4.14.0", "agent_node": nil,
		"previous_status": "Active", "current_status": "Active", "status_code": 0, "ip_address": "10.0.0.1", "last_keepalive": at,
		"groups": []string{"default"}, "os": map[string]any{"name": "Ubuntu", "version": "24.04"}, "flaps": 0, "manager_restart": nil, "signature": nil,
	}
	for name, v := range more {
		e[name] = v
	}
	return marshal(e)
}

func snapshotOf(id string, after int, status string, whole string, count int) []byte {
	return told("snapshot", id, after, map[string]any{"current_status": status, "previous_status": status, "snapshot": map[string]any{"id": whole, "index": 1, "count": count}})
}

func disconnectedAt(id string, after int) []byte {
	return told("disconnected", id, after, map[string]any{"current_status": "Disconnected", "status_code": 4})
}

func heartbeat(after, total int, trouble string) []byte {
	at := noon.Add(time.Duration(after) * time.Second).Format(time.RFC3339)
	manager := map[string]any{"status": "ok", "error": nil, "last_read": at, "last_change": at}
	if trouble != "" {
		manager["status"], manager["error"], manager["last_read"] = "unreadable", trouble, nil
	}
	return marshal(map[string]any{
		"schema_version": "1.0", "event_id": fmt.Sprint("evt_manager_", after), "event_type": "heartbeat", "timestamp": at,
		"manager_node": "m1", "manager": manager, "summary": map[string]any{"total_agents": total}, "signature": nil,
	})
}

func marshal(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}

// board is one that was told messages.
func board(o Options, messages ...[]byte) *Board {
	if o.Stale == 0 {
		o.Stale = 2 * time.Minute
	}
	b := newBoard(&o)
	b.keepChanges()
	for _, m := range messages {
		b.Message(m)
	}
	return b
}

func at(after int) time.Time { return noon.Add(time.Duration(after) * time.Second) }
