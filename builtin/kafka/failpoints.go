package kafka

import "github.com/wazuh-etl/etl/runtime/failpoint"

// The points at which a process may be killed.
var (
	beforeProduce = failpoint.New("kafka.produce")
	behindProduce = failpoint.New("kafka.answered") // before the engine hears of it
	beforeClaim   = failpoint.New("kafka.once.claim")
	behindBegin   = failpoint.New("kafka.once.began")
	beforeBegin   = failpoint.New("kafka.once.begin")   // of a transaction
	beforeRecords = failpoint.New("kafka.once.produce") // events and checkpoints
	beforeCommit  = failpoint.New("kafka.once.commit")
	behindCommit  = failpoint.New("kafka.once.committed")
	behindAnswers = failpoint.New("kafka.once.answered")
	beforeAbort   = failpoint.New("kafka.once.abort")
	behindAbort   = failpoint.New("kafka.once.aborted")
)
