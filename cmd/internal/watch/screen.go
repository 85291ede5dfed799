package watch

import (
	"io"
	"strconv"
)

// What a terminal is told: the alternate screen, no cursor, no wrapping of long lines; and all of it back.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[H\x1b[J"
	leaveScreen = "\x1b[?7h\x1b[?25h\x1b[?1049l"
)

// screen is a terminal that frames are drawn on. A frame is one write, of the lines that are
// not as they were: nothing flickers.
type screen struct {
	out   io.Writer
	drawn []string
	dirty bool // nobody knows what is on it
}

func (s *screen) enter() error {
	s.dirty = true
	_, err := io.WriteString(s.out, enterScreen)
	return err
}

func (s *screen) leave() error {
	_, err := io.WriteString(s.out, leaveScreen)
	return err
}

// forget makes the next frame a whole one.
func (s *screen) forget() { s.dirty = true }

func (s *screen) draw(lines []string) error {
	var b []byte
	for i, line := range lines {
		if !s.dirty && i < len(s.drawn) && s.drawn[i] == line {
			continue
		}
		b = append(b, "\x1b["...)
		b = strconv.AppendInt(b, int64(i)+1, 10)
		b = append(b, ";1H"...)
		b = append(b, line...)
		b = append(b, "\x1b[K"...)
	}
	if s.dirty || len(lines) < len(s.drawn) {
		b = append(b, "\x1b["...)
		b = strconv.AppendInt(b, int64(len(lines))+1, 10)
		b = append(b, ";1H\x1b[J"...)
	}
	s.drawn, s.dirty = lines, false
	if len(b) == 0 {
		return nil
	}
	_, err := s.out.Write(b)
	return err
}
