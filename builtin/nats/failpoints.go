package nats

import "github.com/wazuh-etl/etl/runtime/failpoint"

// The points at which a process may be killed.
var (
	beforeStream  = failpoint.New("nats.stream") // before the embedded server's stream is made or changed
	beforePublish = failpoint.New("nats.publish")
	behindPublish = failpoint.New("nats.published") // before the answers
	behindAnswers = failpoint.New("nats.answered")  // before the engine hears of them
)
