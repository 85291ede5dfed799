//go:build race

package expression

// pooled is how many allocations a sync.Pool may cost: the race detector makes
// it forget things at random.
const pooled = 20
