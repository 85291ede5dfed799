package reference

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/lang"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// common is the page of what the language itself gives every component.
func common() string {
	var b strings.Builder
	b.WriteString(`# What all components share

` + "`attribute = null`" + ` is the same as not written, and a block inside a component is switched off by
` + "`enabled = false`" + ` in it.

| attribute | of | type | default | meaning |
| --- | --- | --- | --- | --- |
| ` + "`from`" + ` | filter, transform, sink | reference or list of them | *required* | Where the events come from. A list is a set: an event that comes unchanged over two edges is taken once. |
| ` + "`connection`" + ` | what connects | connection.KIND.NAME | | What components of a kind share; see [below](#connection-what-components-of-a-kind-share). |
| ` + "`for_each`" + ` | source | object, or list of texts | | One source for each key, with an address, a place in its input and a state of its own; see [below](#for_each-one-source-for-each-key). |
`)
	var order []string
	attrs := map[string]component.Attr{}
	owners := map[string][]string{}
	for _, t := range []plan.Type{plan.Source, plan.Filter, plan.Transform, plan.Sink} {
		for _, a := range lang.CommonAttrs(t) {
			if _, ok := attrs[a.Name]; !ok {
				order = append(order, a.Name)
				attrs[a.Name] = a
			}
			owners[a.Name] = append(owners[a.Name], string(t))
		}
	}
	slices.SortStableFunc(order, func(a, b string) int { return len(owners[b]) - len(owners[a]) })
	for _, name := range order {
		a, of := attrs[name], strings.Join(owners[name], ", ")
		if len(owners[name]) == 4 {
			of = "all"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", name, of, typeName(a), defaultCell(a), cell(meaning(a)))
	}
	b.WriteString(forEach)
	b.WriteString(sharing)
	b.WriteString(`
## filter "NAME"

` + "`where`" + ` is one bare expression; see [expressions](expressions.md). An event for which it is true goes on; any
other one goes to ` + "`filter.NAME.rejected`" + `, where another component may take it. nil as a result is false; a
result that is neither boolean nor nil is the event's error and goes to ` + "`filter.NAME.errors`" + `.

` + "```hcl" + `
filter "bans" {
  from  = source.file.alerts
  where = "'fail2ban' in rule.groups and data.actiontaken == 'Ban'"
}
` + "```" + `

`)
	for _, block := range []struct {
		spec  component.BlockSpec
		where string
	}{
		{lang.QueueBlock, "In a source or a sink; at the top level of the file it is the default of all of them."},
		{lang.RetryBlock, "In a sink."},
		{lang.RuntimeBlock, "At the top level, once."},
	} {
		fmt.Fprintf(&b, "## Block `%s`\n\n%s %s\n\n", block.spec.Name, block.spec.Doc, block.where)
		attributes(&b, block.spec.Attrs)
		if block.spec.Name == lang.QueueBlock.Name {
			b.WriteString(diskQueue)
		}
		if block.spec.Name == lang.RetryBlock.Name {
			b.WriteString(everySink)
		}
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// sharing is the section about connections.
const sharing = `
## ` + "`connection`" + `: what components of a kind share

` + "```hcl" + `
connection "nats" "bus" {
  url        = ["tls://a.example", "tls://b.example"]
  creds_file = "bus.creds"
  tls {
    ca_file = "ca.pem"
  }
}

sink "nats" "events" {
  from       = source.file.alerts
  connection = connection.nats.bus
  subject    = "alerts.{{ agent.id }}"
}

sink "nats" "copies" {
  from       = source.file.alerts
  connection = connection.nats.bus
  subject    = "copies.{{ agent.id }}"
}
` + "```" + `

- Address, login and ` + "`tls {}`" + ` are written once, as if each component that names the connection had written them: the page of a kind says which
  attributes and blocks a connection of it may hold. What a component needs and the connection lacks is missing in the component.
- Either, or: a component with a ` + "`connection`" + ` writes none of them itself. A connection has a ` + "`description`" + ` too.
- While the pipeline runs, the components of kind ` + "`nats`" + ` that name one connection have one connection to the servers, one login and one health. When it
  goes down, and when it is back, the log says so once, by the connection's name. What one of them suffers from alone (a missing stream) is its own.
  Sources ` + "`wazuh_agents`" + ` with one ` + "`api`" + ` have one token and one rate. Each sink ` + "`kafka`" + ` has a producer of its own.
- At a reload, a connection that has not changed stays open, whatever becomes of the components that use it. One that has changed, or whose files have, replaces the components
  that use it, and no others; the old one is closed when the last of them has handed over. One that nobody uses is a warning.
`

// forEach is the section about several sources from one block.
const forEach = `
## ` + "`for_each`" + `: one source for each key

` + "```hcl" + `
locals {
  managers = {
    east = "/srv/east/alerts.json"
    west = "/srv/west/alerts.json"
  }
}

source "file" "alerts" {
  for_each = local.managers
  path     = each.value
}

sink "stdout" "out" { from = source.file.alerts }
sink "stdout" "east" { from = source.file.alerts["east"] }
` + "```" + `

- Of an object the member's name is ` + "`each.key`" + ` and its value ` + "`each.value`" + `; of a list the text is both. An object in a variable has the type
  ` + "`map(string)`" + ` or ` + "`map(object({ … }))`" + `.
- ` + "`source.file.alerts`" + ` is all of them, ` + "`source.file.alerts[\"east\"]`" + ` is one, and so its address: in ` + "`meta.source`" + `, in checkpoints,
  in ` + "`etl state`" + `, ` + "`etl plan`" + ` and the statistics. In a shell it needs quotes: ` + "`etl state show FILE 'source.file.alerts[\"east\"]'`" + `.
- A key has 1 to 64 characters that can be seen, without quotes, ` + "`\\`" + `, ` + "`${` and `%{`" + `, and is no secret: it is part of an address.
- An empty ` + "`for_each`" + ` is like ` + "`enabled = false`" + `: the source is absent. ` + "`null`" + ` is the same as not written. ` + "`enabled = each.value.on`" + ` switches one off.
- When a reload brings other keys, the sources of the new ones start, those of the old ones end and what they gave is delivered, and the
  rest goes on undisturbed. What is stored of a key that is gone stays, and is found again when the key comes back.
- In a test, input goes into one of them: ` + "`input \"source.file.alerts[\\\"east\\\"]\"`" + `. What is expected of, ignored at or mocked for
  ` + "`source.file.alerts`" + ` counts for all of them.
`

// diskQueue is what is promised of a queue on disk.
const diskQueue = "A source that can't be read again (`stdin`, `generate`) with `queue { storage = \"disk\" }` is acknowledged when what it gave is\n" +
	"on disk; one `fsync` serves all who wait. `etl queue ls`, `show`, `export` and `drop` are for what is in it.\n" + `
| what happens when … | then | test |
| --- | --- | --- |
| a target is down | the log grows up to ` + "`max_bytes`" + `; the other sinks go on, each has its own place in the log | TestQueueOnDiskResumesEachSink |
| the log is full | the source waits, or the oldest or newest events are dropped, with their exact count. An event that the log drops may still be delivered from memory: if the process ends first, the next start counts it | TestWhenFull, TestBlockWaitsForRoom, TestDroppedBehindTheReaderIsCounted |
| the process or the machine dies | what was acknowledged to the source is there; each sink goes on where it stood, with the same ids | TestPowerLossAtEveryOperation |
| the pipeline is loaded again | the log stays, also if the source has changed | TestQueueOnDiskResumesEachSink |
| the source has a new name | the one of the same kind and settings takes over the log, each sink where it stood; at a start and at a reload | TestARenamedSourceTakesOverItsQueue, TestAQueueOnDiskOverReloads |
| no source uses the log any more | the log says at each start and reload how many events wait in it; ` + "`etl queue export` prints them, `etl queue drop`" + ` removes them | TestARenamedSourceTakesOverItsQueue |
| the disk is full | the source waits, health says why; it goes on when there is room | TestFullDisk |
| a write or an ` + "`fsync`" + ` fails | the segment is abandoned, the events are written again in a new one | TestFailedSyncsAndWrites |
| files are damaged or gone | the start tells the numbers and the exact count of what is missing, and goes on with the rest; a damaged file is copied to ` + "`queue/damaged`" + ` | TestEachFlippedByte, TestSegmentsThatAreGoneOrCutAreCounted, TestFilesThatAreAllGoneAreCounted |

`

// everySink is what the runtime does around a sink.
const everySink = "What is the same for every sink; its own page has the rest.\n" + `
| what happens when … | then | test |
| --- | --- | --- |
| **down** | the events stay in order and are tried again without end, with growing pauses; the log, the statistics, the live table and ` + "`systemctl status`" + ` say why | TestATargetThatFailsIsTriedAgainInOrder |
| **down**, three times in a row | a try is one event (the circuit is open), each success doubles it; no event fails by it | TestTheCircuitBreakerPostpones |
| the target says when to come back (` + "`Retry-After`" + `) | it is not tried before, and after 5 minutes at the latest | TestRetryAfterIsHonoured |
| **down** for longer than the queue holds | the sink is detached: it reads the file again from its own place; the other sinks go on at full speed | TestADeadSinkDoesNotHoldUpTheOther |
| **full** is its queue, and the source can't be read again | the source waits, or events are dropped, as ` + "`when_full`" + ` says, with their exact count | TestAFullQueueDropsByItsPolicyAndCounts |
| **bad data**: the target refuses a whole batch | halves of it are sent until the one event is alone; it goes to ` + "`.errors`" + `, the others arrive | TestAPoisonEventIsIsolated |
| **bad data**: one event can't be delivered, another could | it goes to ` + "`.errors`" + `, and if nobody listens there to the built-in dead letters | TestErrorsGoToTheirListenersElseToTheDeadLetters |
| **reload**: its attributes have changed | its successor goes on behind the same queue; a target that hangs is not waited for | TestReloadPutsANewSinkBehindTheSameQueue, TestAHangingDeliverHoldsUpNoReload |
| **reload**: it has not changed | it keeps its connection | TestReloadKeepsWhatDidNotChange |
| **reload**: it is gone | what it had not delivered goes to the dead letters | TestReloadSendsWhatARemovedSinkHadToTheDeadLetters |
| **crash** | it goes on at its own checkpoint, at most a second old | TestEachSinkResumesWhereItStood |

`
