package loki

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
)

// patience is how long Loki may take for one request.
const patience = 30 * time.Second

// push makes one request of messages. The error says whose fault it is.
func (s *sink) push(ctx context.Context, messages []*component.Message) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	body, err := json.Marshal(request(messages))
	if err != nil {
		return fmt.Errorf("encoding a request to Loki: %w", err)
	}
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(s.url, "/")+"/loki/api/v1/push", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("making a request to Loki: %w", err)
	}
	post.Header.Set("Content-Type", "application/json")
	if s.tenant != "" {
		post.Header.Set("X-Scope-OrgID", s.tenant)
	}
	response, err := s.client.Do(post)
	if err != nil {
		return fmt.Errorf("sending to Loki: %w", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	if err != nil {
		return fmt.Errorf("reading Loki's answer: %w", err)
	}
	return verdict(response.StatusCode, response.Header, string(bytes.TrimSpace(text)), s.now())
}

// batch is the body of a request.
type batch struct {
	Streams []*stream `json:"streams"`
}

type stream struct {
	Labels json.RawMessage `json:"stream"`
	Lines  [][3]any        `json:"values"` // nanoseconds, line, structured metadata
}

// request groups messages by their labels, in order.
func request(messages []*component.Message) batch {
	var b batch
	known := map[string]*stream{}
	for _, m := range messages {
		labels := m.Native.(string)
		s := known[labels]
		if s == nil {
			s = &stream{Labels: json.RawMessage(labels)}
			known[labels] = s
			b.Streams = append(b.Streams, s)
		}
		at := strconv.FormatInt(m.Event.Received().UnixNano(), 10)
		s.Lines = append(s.Lines, [3]any{at, string(m.Payload), map[string]string{"event_id": m.Event.ID()}})
	}
	return b
}
