package window

import "log/slog"

// trouble says that the last save of a transform's state went wrong.
type trouble bool

// tell logs that saving has begun to fail, and that it works again: each once.
func (t *trouble) tell(log *slog.Logger, err error, bad, well string) {
	switch {
	case err != nil && !bool(*t):
		log.Warn(bad, "error", err)
	case err == nil && bool(*t):
		log.Info(well)
	}
	*t = err != nil
}
