package agents

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wazuh-etl/etl/builtin/tlsconfig"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
)

// Specs are the components of this package.
func Specs() []*component.Spec { return []*component.Spec{spec} }

// Where Wazuh 4 has them; Wazuh 5 has its home in /var/wazuh-manager.
const defaultDatabase = "/var/ossec/queue/db/global.db"

// longestSocket is the longest name that the kernel takes for a Unix socket.
const longestSocket = 107

var spec = &component.Spec{
	Role:      component.RoleSource,
	Kind:      "wazuh_agents",
	Summary:   "Tells which agents of a Wazuh manager come, go, connect and disconnect",
	Doc:       doc,
	Codec:     true,
	Shape:     func(*component.Config) string { return "schemas/agent-event.json" },
	NewSource: newSource,
	Example: `source "wazuh_agents" "fleet" {
  database     = "/var/ossec/queue/db/global.db"
  manager_node = "wazuh-manager-01"
}
`,
	Attrs: []component.Attr{
		{Name: "database", Type: component.TypeReadPath, Live: true,
			Doc: "The manager's database. Default, if there is neither `socket` nor `api`: `" + defaultDatabase + "`; with Wazuh 5 it is `/var/wazuh-manager/queue/db/global.db`. It is opened to be read only."},
		{Name: "socket", Type: component.TypeReadPath, Live: true,
			Doc: "Socket of wazuh-db, `/var/ossec/queue/db/wdb`, to ask there instead: what wazuh-db has not committed yet, up to a minute's changes, is seen too."},
		{Name: "manager_node", Type: component.TypeString, Check: checkNode,
			Doc: "Name of the manager in events. Default: the name of this machine."},
		{Name: "poll_interval", Type: component.TypeDuration, Default: 5 * time.Second, Check: atLeast(100 * time.Millisecond),
			Doc: "How often to look. A database wakes the source at each commit, and is looked at so often only in case that was missed."},
		{Name: "snapshot_interval", Type: component.TypeDuration, Default: time.Hour,
			Doc: "How often to give a `snapshot` of each agent. There is one at the start; `\"0s\"`: no other."},
		{Name: "heartbeat_interval", Type: component.TypeDuration, Default: 30 * time.Second,
			Doc: "How often to give a `heartbeat`. `\"0s\"`: never."},
		{Name: "flap_window", Type: component.TypeDuration, Default: time.Hour, Check: atLeast(time.Second),
			Doc: "`flaps` counts how often the agent has connected or disconnected in this time, at most 100. What a restart of the manager did is not counted."},
	},
	Connection: []string{"api"},
	Blocks: []component.BlockSpec{{
		Name: "api",
		Doc: "Asks the Wazuh API instead, from any machine. The server's certificate is always verified; the one that Wazuh makes for itself is " +
			"`/var/ossec/api/configuration/ssl/server.crt`: write it as `ca_file`, and its name as `server_name`.",
		Attrs: slices.Concat([]component.Attr{
			{Name: "url", Type: component.TypeString, Required: true, Check: checkURL, Doc: "`https://host:55000`."},
			{Name: "user", Type: component.TypeString, Required: true, Doc: "Name of a user who may read all agents (`agent:read`)."},
			{Name: "password", Type: component.TypeString, Required: true, Secret: true, Doc: "The user's password."},
			{Name: "requests", Type: component.TypeRate, Default: 1.0, Check: checkRequests,
				Doc: "The most requests in a time. A read takes one for each 500 agents. The API's own limit, 300 a minute, is for all its users together. Default: `60/m`."},
		}, tlsconfig.Block.Attrs),
	}},
}

func newSource(c *component.Config) (component.Source, error) {
	s := &source{
		address: c.Address, node: c.String("manager_node"), api: c.Block("api"),
		poll: c.Duration("poll_interval"), pictures: c.Duration("snapshot_interval"),
		beat: c.Duration("heartbeat_interval"), flaps: c.Duration("flap_window"),
	}
	var found []error
	if c.Has("database") && c.Has("socket") {
		found = append(found, c.Error("socket", diag.InvalidValue, "agents are read from a database or from a socket", "leave one of them out"))
	}
	for _, name := range []string{"database", "socket"} {
		if s.api != nil && c.Has(name) {
			found = append(found, c.Error(name, diag.InvalidValue, "agents are read from the API, or from a "+name, "leave "+name+" or the block api out"))
		}
	}
	switch socket := c.String("socket"); {
	case s.api != nil:
		found = append(found, checkAPI(s.api))
		s.open = func(host *component.Host) (reader, error) { return newAPI(host, s.api) }
	case socket != "" || !c.Known("socket"):
		if len(socket) > longestSocket {
			found = append(found, c.Error("socket", diag.InvalidValue, fmt.Sprintf("the name of a Unix socket has at most %d bytes, this one has %d", longestSocket, len(socket)), ""))
		}
		s.open = func(host *component.Host) (reader, error) { return &wdb{dial: host.Dial, name: socket}, nil }
	default:
		name := defaultDatabase
		if c.Has("database") || !c.Known("database") {
			name = c.String("database")
		}
		s.open = func(host *component.Host) (reader, error) { return newDatabase(host, name), nil }
	}
	if err := errors.Join(found...); err != nil {
		return nil, err
	}
	return s, nil
}

// checkAPI looks at what several attributes of the block say together.
func checkAPI(c *component.Config) error {
	found := []error{tlsconfig.Complete(c)}
	if c.Known("url") && strings.HasPrefix(c.String("url"), "http://") {
		for _, a := range tlsconfig.Block.Attrs {
			if c.Has(a.Name) && a.Default == nil {
				found = append(found, c.Error(a.Name, diag.InvalidValue, a.Name+" is for TLS, the url is http://", "write https://"))
			}
		}
	}
	return errors.Join(found...)
}

func checkURL(value any) error {
	u, err := url.Parse(value.(string))
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return errors.New("a url is written https://host:55000")
	case u.User != nil:
		return errors.New("the login belongs into user and password")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return errors.New("the url ends behind the port: https://host:55000")
	}
	return nil
}

func checkRequests(value any) error {
	if value.(float64) > 5 {
		return errors.New("the API takes at most 300/m")
	}
	return nil
}

func checkNode(value any) error {
	if strings.TrimSpace(value.(string)) == "" {
		return errors.New("a name of the manager is not empty")
	}
	return nil
}

func atLeast(least time.Duration) func(any) error {
	return func(value any) error {
		if d, ok := value.(time.Duration); ok && d < least {
			return fmt.Errorf("must be at least %s", least)
		}
		return nil
	}
}

const doc = `The manager says how its agents are, not what has changed: the source reads all of them, compares, and gives an event for
each difference. What it has read is kept in its state directory, so that what changed while it was down is told once, at
the start.

| event_type | when | test |
| --- | --- | --- |
| ` + "`registered`, `removed`" + ` | the manager knows an agent that it did not, or one no more. An id that another agent has now is both, ` + "`removed`" + ` first, and the log says so. The status that there was not, or is not any more, is ` + "`Unknown`" + ` | TestChanges, TestBothVersionsOfTheDatabase, TestSocket |
| ` + "`connected`, `disconnected`" + ` | the status is now ` + "`Active`, or `Disconnected`" + ` | TestChanges, TestFlapsAreCountedInAWindow |
| ` + "`status_change`" + ` | the status has changed to another one: ` + "`NeverConnected`, `Pending`, `Unknown`" + ` | TestChanges |
| ` + "`manager_restart`" + ` | the manager has started, and thereby set all its agents to disconnected (status code 5): one event with their number, before theirs. Their events, also of their coming back, have its ` + "`event_id` in `manager_restart`" + `: filter by it, so that nobody is paged for each of them | TestAManagerRestart |
| ` + "`snapshot`" + ` | at the start and every ` + "`snapshot_interval`" + `, one for each agent, as fast as the sinks take them; changes go between. ` + "`snapshot`" + ` says which part of which. The last part is the one whose ` + "`index` is `count`" + ` | TestSnapshotsAndHeartbeatsComeAtTheirTime, TestASnapshotComesInParts |
| ` + "`heartbeat`" + ` | every ` + "`heartbeat_interval`" + `: whether the manager can be read, and how many agents are in which status | TestSnapshotsAndHeartbeatsComeAtTheirTime, TestADatabaseLockedForHalfAMinute |

The members of an event are in [schemas/agent-event.json](../../schemas/agent-event.json). ` + "`event_id`" + ` is made of what the manager says of the
change, not of when it was read. ` + "`timestamp`" + ` is when it was read. The manager itself (id 0) is no agent. An agent's secret (` + "`internal_key`" + `) is never read.

**How late?** Wazuh says that an agent is disconnected 15 to 30 minutes after its last keepalive (` + "`agents_disconnection_time`" + `). wazuh-db
commits after 10 seconds of silence, a minute at the latest; then the source is woken: a database with 10,000 agents is read in less than a tenth of a second. ` + "`socket`" + ` does not
wait for the commit.

**What does it cost the manager?** While a database is read, wazuh-db can't commit. So it is read 500 agents at a time, less than a
millisecond each, with a pause after each, at most every 50 ms, and where one read follows the other no more than a quarter of the time. The directory must be readable (group
` + "`wazuh`" + `), nothing in it is ever written. With ` + "`api`" + `, reading 10,000 agents takes 20 requests.

Changes that end before they are read, between two commits or while etl is down, are not seen: who was disconnected and is connected again has not changed.
Events wait in the state directory until all sinks have them; a queue on disk is not needed.

| what happens when … | then | test |
| --- | --- | --- |
| **gone**: the database, the socket or the API is not there, at the start or later | it is waited for; health and ` + "`heartbeat`" + ` say so. No agent counts as removed | TestWhatIsNotThereIsWaitedFor |
| **locked**: wazuh-db holds the database for half a minute | it is waited for; after 5 s health says so; then everything is read | TestADatabaseLockedForHalfAMinute, TestALockedDatabaseIsWaitedFor |
| wazuh-db has died in a transaction | the source waits until the next wazuh-db has rolled it back: it may not do that itself | TestAHotJournalIsWaitedFor |
| **replaced**: another file gets the database's name, as when a backup is restored | it is opened and read; agents that are missing in it count as removed if they are still missing a ` + "`poll_interval`" + ` later. What it takes back, and what comes again after that, are changes with ids of their own | TestARestoredCopyIsReadInstead, TestWhatARestoredCopyTakesBackComesAgain |
| more than half of the agents are gone at once | the same: they are looked for again first | TestADisappearedFleetIsLookedForAgain |
| **unreadable**: permission is missing, the file is no database, or no regular file, an answer makes no sense | it is tried again every ` + "`poll_interval`" + `, health says why. Nothing that was not read whole is compared | TestWhatIsNotThereIsWaitedFor, TestWhatIsNoDatabaseIsTold, TestWhoMayNotReadIsTold, TestAnAnswerThatMakesNoSense |
| the API refuses the token | a new one is asked for, once; a login that is refused waits a minute | TestTheAPIsTokenIsRenewed, TestALoginThatIsRefused |
| several sources with ` + "`api`" + ` of one ` + "`connection`" + ` | they are one user for the API: one login, one token, one rate, and one pause when it wants to be left alone | TestSourcesOfOneConnectionAreOneUser |
| the API has had too many requests | it is left alone for as long as it says, or a minute | TestTheAPIsLimitIsRespected |
| **bad data**: a status that is not known | it is ` + "`Unknown`" + ` | TestDifferences |
| the sinks are slow, or a target is away | the source waits, and reads nothing meanwhile; then it tells what is different | TestASlowSinkIsWaitedFor |
| one of several sinks is slow | it is detached, and gets what has changed from the state directory; heartbeats and parts of snapshots of that time it does not get | TestAgainGivesWhatTheLedgerKeeps |
| the state directory is full | nothing is given until the ledger can be written; health says so | TestAFullDiskIsWaitedFor |
| **reload**: its attributes have changed | what it knows stays, also when the way to read changes | TestAReloadGoesOnWithWhatIsKnown |
| **crash**, between a change and its acknowledgement | the events come again: same id, same ` + "`event_id`" + `, same bytes, for each sink what it lacks | TestKilledAnywhereNothingIsLost |
| the ledger is damaged | what is whole counts, the rest is read from the manager again; a warning says so | TestADamagedLedgerIsSaid |
`
