package corpus

import "fmt"

// Mix is which alerts a corpus holds.
type Mix uint8

// The mixes, by the name ParseMix knows them by.
const (
	MixBusy       Mix = iota // "busy": all, in a busy manager's proportions
	MixIrrelevant            // "irrelevant": those of them that no shipped filter wants, events of other Windows IDs among them
	MixLinux                 // "linux": those of them that have nothing a shipped filter looks at
	MixWindows               // "windows": only Windows events whose ID is wanted
)

var mixes = []string{"busy", "irrelevant", "linux", "windows"}

// ParseMix is the mix of a name.
func ParseMix(name string) (Mix, error) {
	for i, known := range mixes {
		if name == known {
			return Mix(i), nil //nolint:gosec // there are four
		}
	}
	return 0, fmt.Errorf("there is no mix %q, only %q", name, mixes)
}

func (mix Mix) String() string { return mixes[mix] }

// relevant reports whether a corpus of this mix has relevant alerts.
func (mix Mix) relevant() bool { return mix == MixBusy || mix == MixWindows }

// NextOf is the next alert of a mix.
func (m *Maker) NextOf(mix Mix) Alert {
	switch mix {
	case MixLinux:
		return m.finish(m.linux(), Irrelevant, linux)
	case MixWindows:
		return m.windowsEvent(true)
	}
	for {
		if a := m.Next(); mix == MixBusy || a.Kind == Irrelevant {
			return a
		}
	}
}
