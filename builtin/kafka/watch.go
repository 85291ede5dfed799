package kafka

import (
	"fmt"
	"strings"
	"time"
)

// patience is how long a lot may stand still before the sink counts as ill.
const patience = 2 * time.Second

// watch says why nothing moves: the client waits in silence.
func (n *session) watch() {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-n.ctx.Done():
			return
		case <-ticker.C:
		}
		moved := n.moved.Load()
		since := time.Unix(0, moved)
		if moved == 0 || time.Since(since) < patience {
			continue
		}
		why := n.sink.health.connection(since)
		if why == nil {
			why = n.stuck()
		}
		if n.ctx.Err() == nil && n.moved.Load() == moved {
			n.sink.health.set(why)
		}
	}
}

// stuck asks the cluster why it does not answer.
func (n *session) stuck() error {
	topic, _ := n.sink.constantTopic()
	if err := n.sink.greet(n.ctx, topic); err != nil {
		return err
	}
	return fmt.Errorf("the brokers (%s) take no records", strings.Join(n.sink.brokers, ", "))
}
