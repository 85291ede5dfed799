package graph

import "github.com/wazuh-etl/etl/runtime/failpoint"

// The points at which a process may be killed.
var (
	beforeCheckpoint = failpoint.New("graph.checkpoint") // behind acknowledgements
	behindCheckpoint = failpoint.New("graph.checkpointed")
	beforeSettle     = failpoint.New("graph.settle") // behind the target's answers, before anybody knows of them
	behindSettle     = failpoint.New("graph.settled")
	beforeClose      = failpoint.New("graph.sink-stopped") // a reload's: before the old sink is closed
	beforeReopen     = failpoint.New("graph.sink-closed")  // between the old sink and its successor
	betweenSources   = failpoint.New("graph.source-stopped")
	behindReload     = failpoint.New("graph.reloaded")
	beforeDetach     = failpoint.New("graph.detach")
	behindDetach     = failpoint.New("graph.detached")
	beforeJoin       = failpoint.New("graph.join")
	behindJoin       = failpoint.New("graph.joined")
	beforeMove       = failpoint.New("graph.succeed") // behind a note of a source's old name, before it gets that one's checkpoints
	behindMove       = failpoint.New("graph.succeeded")
	beforeStop       = failpoint.New("graph.stop")
	behindDrain      = failpoint.New("graph.drained")
	behindStop       = failpoint.New("graph.stopped") // behind the last checkpoint
)
