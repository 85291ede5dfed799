package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/wazuh-etl/etl/builtin/tlsconfig"
)

// options are those of every client of the sink. Certificates and password are
// read anew for each connection.
func (s *sink) options() []kgo.Opt {
	options := []kgo.Opt{
		kgo.SeedBrokers(s.brokers...),
		kgo.ClientID(s.config.String("client_id")),
		kgo.SoftwareNameAndVersion("etl", "1"),
		kgo.DisableClientMetrics(),
		kgo.Dialer(s.dial),
		kgo.WithLogger(logger{s.host.Log}),
		kgo.WithHooks(&s.health),
		kgo.AllowAutoTopicCreation(), // whether one is created is the broker's to say
	}
	if login := mechanism(s.config.Block("sasl"), s.host.FS); login != nil {
		options = append(options, kgo.SASL(login))
	}
	return options
}

// connect makes the client that produces. A connection that is closed before its first answer is tried again like
// any other: a broker that goes down does that, and the client would give up records that may be stored, which a
// new producer would store again. The watch says what is wrong if it stays like that.
func (n *session) connect() (*kgo.Client, error) {
	return kgo.NewClient(append(n.sink.options(), append(n.sink.producing(),
		kgo.Dialer(n.gate.dial(n.sink.dial)),
		kgo.MaxBufferedRecords(lotRecords+1),
		kgo.AlwaysRetryEOF(),
	)...)...)
}

// producing are the options of a client that produces.
func (s *sink) producing() []kgo.Opt {
	return []kgo.Opt{
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ManualFlushing(),
		kgo.ProducerBatchMaxBytes(int32(s.most)),
		compression(s.config.String("compression")),
		kgo.MetadataMinAge(250 * time.Millisecond),
		kgo.ProducerOnDataLossDetected(func(topic string, partition int32) {
			s.host.Log.Warn("the broker has lost records that it had acknowledged", "topic", topic, "partition", partition)
		}),
	}
}

// compression of batches: brokers that don't know it get them as they are.
func compression(name string) kgo.Opt {
	codec := kgo.NoCompression()
	switch name {
	case "gzip":
		codec = kgo.GzipCompression()
	case "snappy":
		codec = kgo.SnappyCompression()
	case "lz4":
		codec = kgo.Lz4Compression()
	case "zstd":
		return kgo.WithCompressor(newZstdBatches())
	}
	return kgo.ProducerBatchCompression(codec, kgo.NoCompression())
}

// dial connects through the runtime. Whatever goes wrong before the connection
// stands looks like a failed dial, which the client waits out.
func (s *sink) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	config, err := tlsconfig.Build(s.config.Block("tls"), s.host.FS)
	if err != nil {
		return nil, dialError(network, err)
	}
	conn, err := s.host.Dial(ctx, network, address)
	if err != nil {
		return nil, dialError(network, err)
	}
	if config == nil {
		return conn, nil
	}
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(address)
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, dialError(network, err)
	}
	return secure, nil
}

func dialError(network string, err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return err
	}
	return &net.OpError{Op: "dial", Net: network, Err: err}
}
