// Bench measures etl beside other programs that do the same job, and beside
// what only looks at the bytes, on this machine:
//
//	go run ./testdata/bench [flags]        in the repository's folder
//
// It makes the alerts (testdata/corpus), starts a real Kafka (testdata/kafka),
// and prints tables in Markdown. Who is not installed gets a line that says so.
// docs/performance.md says what is measured, and how to read it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// bench is one run of this command.
type bench struct {
	ctx      context.Context
	dir      string // gone at the end
	program  string // etl
	broker   *broker
	receipts string // socket whose reader forgets what comes
	report   report
}

func main() {
	if len(os.Args) == 3 && inProcess[os.Args[1]] != nil {
		n, err := inProcess[os.Args[1]](os.Args[2])
		fmt.Println(n)
		exit(err)
	}
	var o options
	flag.Float64Var(&o.megabytes, "mb", 400, "size of the alerts in `MB`")
	flag.IntVar(&o.turns.broker, "reps", 3, "how often each is measured that needs Kafka or many seconds, in turns")
	flag.IntVar(&o.turns.quick, "quick", 7, "how often the others")
	flag.StringVar(&o.parts, "parts", "compare,resident,latency", "what to measure")
	flag.StringVar(&o.match, "match", "", "compare only those whose name matches this `regexp`")
	flag.DurationVar(&o.paced, "paced", time.Minute, "how long to watch the resident size at 10,000 alerts/s")
	flag.DurationVar(&o.latency, "latency", 30*time.Second, "how long to write 1,000 alerts/s and measure each")
	flag.DurationVar(&o.soak, "soak", 0, "how long to run at full speed and watch the resident size, e.g. 10m; 0: not")
	flag.StringVar(&o.program, "etl", "", "`file` to measure; default: what ./cmd/etl builds")
	flag.StringVar(&o.dir, "dir", "", "`folder` for alerts and broker; default: that for temporary files")
	flag.Parse()
	exit(run(o))
}

type options struct {
	megabytes            float64
	turns                turns
	parts, match         string
	paced, latency, soak time.Duration
	program, dir         string
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run(o options) (err error) {
	match, err := regexp.Compile(o.match)
	if err != nil {
		return err
	}
	if _, err := os.Stat("testdata/kafka/start"); err != nil {
		return errors.New("run it in the repository's folder")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGPIPE)
	defer stop()
	b := &bench{ctx: ctx, program: o.program, report: report{out: os.Stdout}}
	if b.dir, err = os.MkdirTemp(o.dir, "bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if b.program == "" {
		b.program = filepath.Join(b.dir, "etl")
		build := exec.CommandContext(ctx, "go", "build", "-o", b.program, "./cmd/etl")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("building etl: %w\n%s", err, out)
		}
	}
	if b.broker, err = startBroker(ctx, b.dir); err != nil {
		return fmt.Errorf("starting Kafka: %w", err)
	}
	defer b.broker.stop()
	b.receipts = filepath.Join(b.dir, "queue")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: b.receipts, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer socket.Close()
	go forget(socket)

	b.report.machine()
	for part := range strings.SplitSeq(o.parts, ",") {
		switch part {
		case "compare":
			err = b.compare(int64(o.megabytes*1e6), o.turns, match)
		case "resident":
			err = b.paced(10_000, o.paced)
		case "latency":
			err = b.latency(1000, o.latency)
		case "":
		default:
			err = fmt.Errorf("there is no part %q: compare, resident, latency", part)
		}
		if err != nil {
			return err
		}
	}
	if o.soak > 0 {
		return b.soak(int64(o.megabytes*1e6), o.soak)
	}
	return nil
}

// forget reads all that comes, until the socket is closed.
func forget(socket *net.UnixConn) {
	datagram := make([]byte, 64<<10)
	for {
		if _, err := socket.Read(datagram); err != nil {
			return
		}
	}
}
