//go:build !failpoints

package failpoint

// Point is a place in the code.
type Point struct{}

// New names a place. The name must be the only one of its kind in the program.
func New(string) Point { return Point{} }

// Pass is called where the process may be killed.
func (Point) Pass() {}

// Fail is called before an operation that may fail: with its error. The process may be killed there as well.
func (Point) Fail() error { return nil }
