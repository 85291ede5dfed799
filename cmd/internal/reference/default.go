package reference

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/wazuh-etl/etl/runtime/component"
)

// Default is a's default as a pipeline would write it; empty if there is none.
func Default(a component.Attr) string {
	switch v := a.Default.(type) {
	case nil:
		return ""
	case string:
		return strconv.Quote(v)
	case time.Duration:
		return strconv.Quote(duration(v))
	case []string:
		quoted := make([]string, len(v))
		for i, s := range v {
			quoted[i] = strconv.Quote(s)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	case int64:
		if a.Type == component.TypeSize {
			return strconv.Quote(size(v))
		}
		return strconv.FormatInt(v, 10)
	case float64:
		if a.Type == component.TypeRate {
			return strconv.Quote(rate(v))
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}

// duration is d in the largest unit that holds it as a whole number.
func duration(d time.Duration) string {
	units := []struct {
		name string
		d    time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond}}
	for _, u := range units {
		if d != 0 && d%u.d == 0 {
			return fmt.Sprintf("%d%s", d/u.d, u.name)
		}
	}
	return d.String()
}

// size is n in the largest unit that holds it as a whole number: binary units
// first, as the reference card writes its own defaults.
func size(n int64) string {
	units := []struct {
		name string
		n    int64
	}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}}
	for _, u := range units {
		if n != 0 && n%u.n == 0 {
			return fmt.Sprintf("%d%s", n/u.n, u.name)
		}
	}
	return fmt.Sprintf("%dB", n)
}

// rate is v per second in the smallest unit that makes it a whole number.
func rate(v float64) string {
	for _, u := range []struct {
		name    string
		seconds float64
	}{{"s", 1}, {"m", 60}, {"h", 3600}} {
		if n := v * u.seconds; n == float64(int64(n)) {
			return fmt.Sprintf("%d/%s", int64(n), u.name)
		}
	}
	return strconv.FormatFloat(v, 'g', -1, 64) + "/s"
}
