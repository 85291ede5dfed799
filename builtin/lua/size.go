package lua

import "fmt"

// sizeText is n bytes for people, in the unit that attributes are written in.
func sizeText(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB"}
	i := 0
	for f := n; f >= 10*1024 && i < len(units)-1 || n > 0 && f%1024 == 0 && i < len(units)-1; f /= 1024 {
		n, i = f/1024, i+1
	}
	return fmt.Sprintf("%d%s", n, units[i])
}
