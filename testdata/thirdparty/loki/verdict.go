package loki

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/event"
)

// verdict says whose fault an answer is. What is not known to be a line's is
// Loki's: a line too often is better than one too few. Which line it is Loki
// does not say, so that the runtime has to find out.
func verdict(status int, header http.Header, text string, now time.Time) error {
	switch status {
	case http.StatusOK, http.StatusNoContent:
		return nil
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return component.Refused(event.Failf(CodeRefused, "Loki refuses the line: %d %s", status, text))
	case http.StatusRequestEntityTooLarge:
		return component.TooLarge(event.Failf(CodeRefused, "Loki refuses the line: %d %s", status, text))
	default:
		return component.RetryAfter(fmt.Errorf("pushing to Loki: %d %s", status, text), retryAfter(header.Get("Retry-After"), now))
	}
}

// retryAfter is how long the header says to wait: a number of seconds or a
// date. What is neither says nothing.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if seconds, err := strconv.ParseUint(header, 10, 32); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return at.Sub(now)
	}
	return 0
}
