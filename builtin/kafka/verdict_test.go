package kafka

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// refuse answers produce requests with an error as long as it says so.
func refuse(c *kfake.Cluster, err *kerr.Error, when func(*kmsg.ProduceRequest) bool) {
	c.ControlKey(0, func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if request := r.(*kmsg.ProduceRequest); when(request) {
			return refusedAll(request, err), nil, true
		}
		return nil, nil, false
	})
}

// refusedAll is the answer that all of a request is refused.
func refusedAll(request *kmsg.ProduceRequest, err *kerr.Error) kmsg.Response {
	response := request.ResponseKind().(*kmsg.ProduceResponse)
	for _, topic := range request.Topics {
		t := kmsg.NewProduceResponseTopic()
		t.Topic, t.TopicID = topic.Topic, topic.TopicID
		for _, partition := range topic.Partitions {
			p := kmsg.NewProduceResponseTopicPartition()
			p.Partition, p.ErrorCode = partition.Partition, err.Code
			t.Partitions = append(t.Partitions, p)
		}
		response.Topics = append(response.Topics, t)
	}
	return response
}

// holds says whether the uncompressed batches of a request have a text in them.
func holds(r *kmsg.ProduceRequest, text string) bool {
	for _, t := range r.Topics {
		for _, p := range t.Partitions {
			if bytes.Contains(p.Records, []byte(text)) {
				return true
			}
		}
	}
	return false
}

// TestVerdicts has one test for each row of the table: a record's own error
// takes the one record and no other, a target's error takes none; and the
// order is kept.
func TestVerdicts(t *testing.T) {
	for _, v := range verdicts {
		t.Run(v.err.Message, func(t *testing.T) {
			virtual(t, func(t *testing.T, c *virtualCluster) { testVerdict(t, c, v) })
		})
	}
}

func testVerdict(t *testing.T, c *virtualCluster, v verdict) {
	r := c.rig(t, map[string]any{"topic": field("to")}).open()
	all := r.messages("a", 0, 0)
	for _, n := range strings.Fields("a b c bad d e f g h i j k") {
		all = append(all, r.message(`{"n":"`+n+`","to":"dfn"}`))
	}
	want := all
	if v.owner == record {
		refuse(c.Cluster, v.err, func(r *kmsg.ProduceRequest) bool { return holds(r, `"bad"`) })
		want = append(all[:3:3], all[4:]...)
	} else {
		var mu sync.Mutex
		times, most := 0, 2
		if v.err == kerr.UnknownTopicOrPartition {
			most = 6 // the client itself asks a few times
		}
		refuse(c.Cluster, v.err, func(*kmsg.ProduceRequest) bool {
			mu.Lock()
			defer mu.Unlock()
			times++
			return times <= most
		})
	}
	_ = r.sink.Deliver(t.Context(), all)
	r.waitAnswers(len(all))
	if got := r.count(); got["done"] != len(want) || v.owner == record && got["failed "+v.code] != 1 {
		t.Errorf("answers %v", got)
	}
	inOrder(t, c.consume(t, len(want), "dfn"), want)
	if v.owner == target && !v.quiet {
		r.waitHealth(v.words)
		r.waitHealth("")
	}
}

// An error that is in no row is the target's.
func TestVerdictUnknown(t *testing.T) {
	if v := judge(kerr.FencedInstanceID, false); v.owner != target {
		t.Errorf("an unknown error is %v", v)
	}
	if v := judge(kerr.InvalidTopicException, true); v.owner != target {
		t.Errorf("a topic that is wrong for all is %v", v)
	}
}

// A broker may refuse the producer itself: every record fails until it doesn't.
func TestProducerRefused(t *testing.T) {
	virtual(t, func(t *testing.T, c *virtualCluster) {
		var mu sync.Mutex
		times := 0
		c.ControlKey(22, func(r kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			mu.Lock()
			defer mu.Unlock()
			if times++; times > 2 {
				return nil, nil, false
			}
			response := r.ResponseKind().(*kmsg.InitProducerIDResponse)
			response.ErrorCode = kerr.ClusterAuthorizationFailed.Code
			return response, nil, true
		})
		r := c.rig(t, map[string]any{"topic": text("dfn")}).open()
		all := r.messages("a", 0, 100)
		_ = r.sink.Deliver(t.Context(), all)
		r.waitAnswers(len(all))
		r.waitHealth("not authorised to use the cluster")
		inOrder(t, c.consume(t, len(all), "dfn"), all)
	})
}
