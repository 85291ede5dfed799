package window

import (
	"cmp"
	"encoding/json"
	"log/slog"
	"slices"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
)

// knowledge is what an anomaly transform has learned, as it is stored.
type knowledge struct {
	Fleet  map[string]int64 `json:"fleet,omitempty"`  // when each was seen last, in milliseconds since 1970
	Window int64            `json:"window,omitempty"` // of Past, in nanoseconds
	Past   []pastOf         `json:"past,omitempty"`   // the one touched longest ago first
}

type pastOf struct {
	Key    string `json:"key"`
	Window int64  `json:"window"`
	Count  int    `json:"count"`
	Before []int  `json:"before"`
	Told   bool   `json:"told,omitempty"`
}

// store keeps knowledge in the component's state.
type store struct {
	state   component.State
	log     *slog.Logger
	asked   bool // for a call of Wake
	trouble trouble
}

const knowledgeKey = "known"

func (s *store) load() (k knowledge) {
	value, is := s.state.Get(knowledgeKey)
	if !is {
		return k
	}
	if err := json.Unmarshal(value, &k); err != nil {
		s.log.Warn("what was learned is damaged: learning begins anew", "error", err)
		return knowledge{}
	}
	return k
}

func (s *store) save(k knowledge) {
	value, err := json.Marshal(k)
	if err == nil {
		err = s.state.Set(knowledgeKey, value)
	}
	s.trouble.tell(s.log, err, "what was learned can't be stored, and is tried again: a restart forgets it", "what was learned is stored again")
}

// seenAt is a key and when it was seen.
type seenAt struct {
	key string
	at  time.Time
}

// byTime are keys in the order of time.
func byTime(known map[string]int64) []seenAt {
	list := make([]seenAt, 0, len(known))
	for key, at := range known {
		list = append(list, seenAt{key, time.UnixMilli(at)})
	}
	slices.SortFunc(list, func(a, b seenAt) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return cmp.Compare(a.key, b.key)
	})
	return list
}
