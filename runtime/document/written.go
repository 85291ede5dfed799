package document

import "time"

// Written is about how many bytes AppendJSON writes of v; escapes are not
// counted. It stops soon behind limit: a value that shares its parts may be
// small in memory and without end when it is written.
func (v Value) Written(limit int) int {
	const literal = 5 // false, and about what a number takes
	if v.form == indexed {
		_, n := v.node()
		return int(n.end - n.start)
	}
	size := 2 // quotes or brackets
	switch v.kind {
	case Text:
		size += int(v.bits)
	case Array:
		for _, item := range v.items() {
			if size > limit {
				break
			}
			size += 1 + item.Written(limit-size)
		}
	case Object:
		for _, m := range v.members() {
			if size > limit {
				break
			}
			size += 4 + len(m.Name) + m.Value.Written(limit-size)
		}
	case Time:
		size += len(time.RFC3339Nano)
	default:
		size = literal
		if v.kind == Number && v.form == computed {
			size = int(v.bits)
		}
	}
	return size
}
