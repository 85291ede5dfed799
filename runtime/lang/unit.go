package lang

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
)

// What a value with a unit looks like: the end of every message about one.
var unitExamples = map[component.Type]string{
	component.TypeDuration: `a duration like "250ms", "30s", "5m", "12h" or "7d"`,
	component.TypeSize:     `a size like "64KiB", "16MiB" or "2GiB"`,
	component.TypeRate:     `a rate like "50/s", "300/m" or "1000/h"`,
}

// unitFor is the unit that a bare number most likely lacks.
var unitFor = map[component.Type]string{
	component.TypeDuration: "s",
	component.TypeSize:     "MiB",
	component.TypeRate:     "/s",
}

var errUnit = errors.New("no unit")

var durationUnits = map[string]time.Duration{
	"ns": time.Nanosecond, "us": time.Microsecond, "µs": time.Microsecond, "ms": time.Millisecond,
	"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
}

var sizeUnits = map[string]float64{
	"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
	"KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
}

// split takes the number off the front of s.
func split(s string) (number float64, rest string, err error) {
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || s[end] == '.') {
		end++
	}
	if end == 0 {
		return 0, s, errUnit
	}
	number, err = strconv.ParseFloat(s[:end], 64)
	if err != nil {
		err = errUnit
	}
	return number, s[end:], err
}

// ParseDuration reads "250ms", "1h30m", "7d".
func ParseDuration(s string) (time.Duration, error) {
	var sum float64
	for rest := s; ; {
		n, after, err := split(rest)
		if err != nil {
			return 0, err
		}
		end := 0
		for end < len(after) && (after[end] < '0' || after[end] > '9') && after[end] != '.' {
			end++
		}
		unit, ok := durationUnits[after[:end]]
		if !ok {
			return 0, errUnit
		}
		sum += n * float64(unit)
		if rest = after[end:]; rest == "" {
			break
		}
	}
	if sum >= math.MaxInt64 {
		return 0, fmt.Errorf("longer than 292 years")
	}
	return time.Duration(math.Round(sum)), nil
}

// ParseSize reads "64KiB", "1GB" as bytes.
func ParseSize(s string) (int64, error) {
	n, unit, err := split(s)
	if err != nil {
		return 0, err
	}
	factor, ok := sizeUnits[unit]
	if !ok {
		return 0, errUnit
	}
	if n *= factor; n >= math.MaxInt64 {
		return 0, fmt.Errorf("larger than 8 EiB")
	}
	if n != math.Trunc(n) {
		return 0, fmt.Errorf("not a whole number of bytes")
	}
	return int64(n), nil
}

// ParseRate reads "300/m" as a number per second.
func ParseRate(s string) (float64, error) {
	n, rest, err := split(s)
	if err != nil {
		return 0, err
	}
	unit, ok := durationUnits[strings.TrimPrefix(rest, "/")]
	if !ok || !strings.HasPrefix(rest, "/") {
		return 0, errUnit
	}
	return n / unit.Seconds(), nil
}
