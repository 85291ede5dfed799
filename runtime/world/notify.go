package world

import (
	"fmt"
	"sync"

	"github.com/fsnotify/fsnotify"
)

// fsNotifier asks the kernel. Each watch has a watcher of its own, so that
// one reader that is slow holds up no other.
type fsNotifier struct{}

func (fsNotifier) Watch(directory string) (<-chan string, func(), error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, nil, fmt.Errorf("watching %s: %w", directory, err)
	}
	if err := w.Add(directory); err != nil {
		w.Close()
		return nil, nil, fmt.Errorf("watching %s: %w", directory, err)
	}
	changes, done := make(chan string, 64), make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() {
		defer close(changes)
		for {
			name := directory
			select {
			case <-done:
				return
			case event, ok := <-w.Events:
				if !ok {
					return
				}
				name = event.Name
			case _, ok := <-w.Errors: // an overflow: anything may have changed
				if !ok {
					return
				}
			}
			select {
			case changes <- name:
			case <-done:
				return
			}
		}
	})
	var once sync.Once
	return changes, func() {
		once.Do(func() {
			close(done)
			ended.Wait()
			w.Close()
		})
	}, nil
}
