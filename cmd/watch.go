package cmd

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/wazuh-etl/etl/builtin/agents"
	"github.com/wazuh-etl/etl/builtin/tlsconfig"
	"github.com/wazuh-etl/etl/cmd/internal/watch"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
)

// watchFlags are those of etl watch agents.
type watchFlags struct {
	specs []*component.Spec // no flag

	database, socket, api, nats string // of which one is written
	user, passwordFile          string
	creds, prefix               string
	tls                         struct{ ca, cert, key, name string }
	keys                        messages

	interval     time.Duration
	sort, status string
	options      watch.Options
}

func newWatch(specs []*component.Spec) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Watch the agents of Wazuh managers",
	}
	cmd.AddCommand(newWatchAgents(specs))
	return cmd
}

// defaultGlobal is where Wazuh 4 has its database.
const defaultGlobal = "/var/ossec/queue/db/global.db"

func newWatchAgents(specs []*component.Spec) *cobra.Command {
	f := watchFlags{specs: specs}
	cmd := &cobra.Command{
		Use:   "agents",
		Short: "Show the agents of Wazuh managers, and what changes",
		Long: `Show the agents of Wazuh managers: how they are, and what changes. On a terminal it is a table that
stays up to date until q or a signal ends it; elsewhere a line for each change. With --once it is
the table, and that is all. --json makes it JSON: one object with --once, else one for each change.

The agents are those of a manager's database, which is only ever read, as source "wazuh_agents"
reads it; of wazuh-db's socket; of the Wazuh API; or what pipeline agent-status has published to NATS:
the last message of each subject that a JetStream stream has kept, then what comes. A status with a ?
may have changed since: nothing was heard of its manager for as long as --stale says, or changes were suppressed.

Exit codes: 0 done, 1 the agents can't be read, 2 usage, 4 --once ran into --timeout.`,
		Example: `  etl watch agents --database /var/ossec/queue/db/global.db
  etl watch agents --nats tls://nats.example:4222 --creds watch.creds --key signing.pub
  etl watch agents --once --json --status disconnected | jq -r '.agents[].agent_name'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.database, "database", "", "`FILE` of a manager, queue/db/global.db (default "+defaultGlobal+")")
	flags.StringVar(&f.socket, "socket", "", "`FILE` of wazuh-db's socket, queue/db/wdb: sees what is not committed yet")
	flags.StringVar(&f.api, "api", "", "`URL` of the Wazuh API, https://HOST:55000")
	flags.StringVar(&f.user, "user", "", "`NAME` of the API's user")
	flags.StringVar(&f.passwordFile, "password-file", "", "`FILE` with the password of the API's user")
	flags.StringVar(&f.nats, "nats", "", "`URL` of a NATS server, nats://HOST:4222, or tls://")
	flags.StringVar(&f.creds, "creds", "", "credentials `FILE` for NATS; a user and password stand in its URL")
	flags.StringVar(&f.prefix, "prefix", "wazuh", "what the subjects in NATS begin with")
	flags.StringVar(&f.tls.ca, "tls-ca", "", "`FILE` with the authorities that the certificate of NATS or the API may be signed by")
	flags.StringVar(&f.tls.cert, "tls-cert", "", "`FILE` with the certificate to log in with; needs --tls-key")
	flags.StringVar(&f.tls.key, "tls-key", "", "`FILE` with the certificate's private key")
	flags.StringVar(&f.tls.name, "tls-name", "", "`NAME` that the server's certificate must have (default: the host connected to)")
	flags.StringArrayVar(&f.keys.keyFiles, "key", nil, "`FILE` with a key to check and decrypt messages from NATS with; may repeat")
	flags.DurationVar(&f.interval, "interval", 5*time.Second, "how often a manager is asked; a database is also read at each commit")
	flags.StringVar(&f.sort, "sort", "status", "`COLUMN` to sort by: "+watch.OrderNames+"; -COLUMN for the other way round")
	flags.StringVar(&f.status, "status", "", "only agents with one of these, `LIST` with commas: active, disconnected, never_connected, pending, unknown")
	flags.DurationVar(&f.options.Stale, "stale", 2*time.Minute, "how long after the last sign of a manager the status of its agents counts")
	flags.BoolVar(&f.options.Once, "once", false, "show all agents once")
	flags.DurationVar(&f.options.Timeout, "timeout", 10*time.Second, "with --once: how long to wait until all agents are known")
	flags.BoolVar(&f.options.JSON, "json", false, "write JSON, one object a line")
	return cmd
}

func (f *watchFlags) run(cmd *cobra.Command) error {
	if err := f.check(cmd); err != nil {
		return refused(err)
	}
	var err error
	if f.options.Sort, err = watch.ParseOrder(f.sort); err != nil {
		return refused(fmt.Errorf("--sort: %w", err))
	}
	if f.options.Status, err = watch.ParseStatuses(f.status); err != nil {
		return refused(fmt.Errorf("--status: %w", err))
	}
	if err := f.keys.readKeys(nil); err != nil {
		return err
	}
	f.options.Keys = f.keys.keys
	if f.options.Feed, err = f.feed(); err != nil {
		return refused(err)
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	return f.show(ctx, cmd.InOrStdin(), cmd.OutOrStdout())
}

func (f *watchFlags) show(ctx context.Context, in io.Reader, out io.Writer) error {
	f.options.Out = out
	if isTerminal(out) {
		f.options.Color = os.Getenv("NO_COLOR") == ""
		keyboard, _ := in.(*os.File)
		restore, err := f.options.Attach(ctx, keyboard, out.(*os.File))
		if err != nil {
			return failed(err)
		}
		defer restore()
	}
	err := watch.Run(ctx, f.options)
	switch {
	case errors.Is(err, watch.ErrTimeout):
		return &exit{exitTimeout, err}
	case err != nil:
		return failed(err)
	}
	return nil
}

// check says which flags don't go together.
func (f *watchFlags) check(cmd *cobra.Command) error {
	ways := []string{"database", "socket", "api", "nats"}
	written := slices.DeleteFunc(slices.Clone(ways), func(name string) bool { return !cmd.Flags().Changed(name) })
	if len(written) > 1 {
		return fmt.Errorf("--%s and --%s are two ways to know the agents: write one", written[0], written[1])
	}
	way := "database"
	if len(written) == 1 {
		way = written[0]
	} else {
		f.database = defaultGlobal
	}
	for _, only := range []struct {
		flags, ways string
	}{
		{"user password-file", "api"}, {"creds prefix key stale", "nats"},
		{"tls-ca tls-cert tls-key tls-name", "api nats"}, {"interval", "database socket api"},
	} {
		for name := range strings.FieldsSeq(only.flags) {
			if cmd.Flags().Changed(name) && !slices.Contains(strings.Fields(only.ways), way) {
				return fmt.Errorf("--%s goes with --%s", name, strings.Join(strings.Fields(only.ways), " or --"))
			}
		}
	}
	switch {
	case cmd.Flags().Changed("timeout") && !f.options.Once:
		return errors.New("--timeout goes with --once")
	case f.options.Timeout <= 0:
		return errors.New("--timeout: write how long, 10s")
	case f.options.Stale <= 0:
		return errors.New("--stale: write how long, 2m")
	case (f.tls.cert == "") != (f.tls.key == ""):
		return errors.New("--tls-cert and --tls-key belong together")
	case way == "api" && (f.user == "" || f.passwordFile == ""):
		return errors.New("--api needs --user and --password-file")
	}
	return nil
}

// feed is where the agents are known from.
func (f *watchFlags) feed() (watch.Feed, error) {
	switch {
	case f.nats != "":
		f.options.From = f.nats
		return f.fromNATS()
	case f.api != "":
		password, err := os.ReadFile(f.passwordFile)
		if err != nil {
			return nil, fmt.Errorf("reading the password: %w", err)
		}
		f.options.From = f.api
		api := f.tlsValues()
		api["url"], api["user"], api["password"] = f.api, f.user, string(bytes.TrimSpace(password))
		return f.fromSource(map[string]any{}, api, 1)
	case f.socket != "":
		f.options.From = f.socket
		if err := readable(f.socket, "socket of wazuh-db", ""); err != nil {
			return nil, err
		}
		return f.fromSource(map[string]any{"socket": f.socket}, nil, 1)
	default:
		f.options.From = f.database
		if err := readable(f.database, "database", "SQLite format 3\x00"); err != nil {
			return nil, err
		}
		return f.fromSource(map[string]any{"database": f.database}, nil, 3)
	}
}

// fromSource reads a manager. It is given up after so many reads that fail, before it was ever read: wazuh-db may
// be writing at one moment, and a live table waits as long as one looks at it.
func (f *watchFlags) fromSource(values, api map[string]any, hopeless int) (watch.Feed, error) {
	interval := f.interval
	if f.options.Once {
		interval = min(interval, time.Second) // what fails is tried again soon
	}
	f.options.Stale = max(f.options.Stale, 3*interval)
	s, err := watch.NewSource(f.specs, values, api, interval)
	if err != nil {
		return nil, err
	}
	if f.options.Once {
		s.Hopeless = hopeless
	}
	return s, nil
}

// readable says in words why a file of the manager can't be used. magic is what it begins with.
func readable(name, what, magic string) error {
	info, err := os.Stat(name)
	head := make([]byte, len(magic))
	if err == nil && info.Mode().IsRegular() {
		var file *os.File
		if file, err = os.Open(name); err == nil {
			_, _ = io.ReadFull(file, head) // what is missing is not magic
			err = file.Close()
		}
	}
	switch {
	case err != nil:
		return agents.Unreadable(what, name, err)
	case string(head) != magic, magic == "" && info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is no %s: the manager has it in queue/db", name, what)
	}
	return nil
}

func (f *watchFlags) fromNATS() (watch.Feed, error) {
	scheme, _, ok := strings.Cut(f.nats, "://")
	if !ok || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, scheme) {
		return nil, fmt.Errorf("--nats %q: write nats://HOST:4222", f.nats)
	}
	n := &watch.NATS{URL: f.nats, Creds: f.creds, Prefix: strings.TrimRight(f.prefix, ".")}
	if f.creds != "" {
		if _, err := os.ReadFile(f.creds); err != nil {
			return nil, fmt.Errorf("reading --creds: %w", err)
		}
	}
	if n.Prefix == "" || strings.ContainsAny(n.Prefix, " \t\r\n*>") {
		return nil, fmt.Errorf("--prefix %q is no beginning of a subject", f.prefix)
	}
	var err error
	if n.TLS, err = f.tlsConfig(); err != nil {
		return nil, err
	}
	f.options.From = n.Host()
	return n, nil
}

// tlsValues are the attributes of a block tls.
func (f *watchFlags) tlsValues() map[string]any {
	values := map[string]any{}
	for name, value := range map[string]string{
		"ca_file": f.tls.ca, "cert_file": f.tls.cert, "key_file": f.tls.key, "server_name": f.tls.name,
	} {
		if value != "" {
			values[name] = value
		}
	}
	return values
}

// tlsConfig is nil where no flag says anything of TLS.
func (f *watchFlags) tlsConfig() (*tls.Config, error) {
	values := f.tlsValues()
	if len(values) == 0 {
		return nil, nil
	}
	return tlsconfig.Build(&component.Config{Values: values}, world.OS().FS)
}
