package spool

import "github.com/wazuh-etl/etl/runtime/failpoint"

// The points at which a process may be killed, or an operation fail.
var (
	beforeOpen    = failpoint.New("spool.open")
	beforeSegment = failpoint.New("spool.segment")   // before the file is made
	beforeEntry   = failpoint.New("spool.directory") // before its name lasts
	beforeReserve = failpoint.New("spool.reserve")
	beforeWrite   = failpoint.New("spool.write")
	beforeSync    = failpoint.New("spool.sync")
	behindSync    = failpoint.New("spool.synced") // before the source hears of it
	beforeAbandon = failpoint.New("spool.abandon")
	beforeTrim    = failpoint.New("spool.trim")   // before a note of what goes
	beforeRemove  = failpoint.New("spool.remove") // behind the note
	behindRemove  = failpoint.New("spool.removed")
	beforeAside   = failpoint.New("spool.aside")
	beforeClose   = failpoint.New("spool.close")
	beforeMove    = failpoint.New("spool.move") // the new owner has the numbers, and not the files
	behindMove    = failpoint.New("spool.moved")
)
