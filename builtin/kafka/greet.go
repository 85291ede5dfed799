package kafka

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// missingTopic is the broker's word that a topic is not there and not made.
type missingTopic struct {
	topic   string
	brokers []string
}

func (e *missingTopic) Error() string {
	return fmt.Sprintf("topic %s does not exist, and the brokers (%s) don't create it", e.topic, strings.Join(e.brokers, ", "))
}

// greet asks the brokers for a topic, any of them for nothing if it is "", and
// says what is wrong. It gives up soon: an unreachable broker is an answer.
func (s *sink) greet(ctx context.Context, topic string) error {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	client, err := kgo.NewClient(append(s.options(),
		kgo.RequestRetries(len(s.brokers)), // so that each is asked
		kgo.RetryBackoffFn(func(int) time.Duration { return 10 * time.Millisecond }),
	)...)
	if err != nil {
		return err
	}
	defer client.Close()
	for said := error(nil); ; {
		answer, err := ask(ctx, client, topic)
		switch {
		case err != nil && said != nil: // the time is up
			return said
		case err != nil:
			if failure := s.health.connection(began); failure != nil {
				return failure
			}
			return fmt.Errorf("the brokers (%s) don't answer: %w", strings.Join(s.brokers, ", "), err)
		case answer == nil:
			return nil
		case answer == kerr.UnknownTopicOrPartition:
			said = &missingTopic{topic, s.brokers}
		default:
			said = &refusal{topic: topic, words: judge(answer, true).words, err: answer}
		}
		if !kerr.IsRetriable(answer) {
			return said
		}
		// A topic that was created just now is unknown, or has no leader, for a moment.
		select {
		case <-time.After(250 * time.Millisecond):
		case <-ctx.Done():
			return said
		}
	}
}

// ask is what the cluster says of a topic; err is that it said nothing.
func ask(ctx context.Context, client *kgo.Client, topic string) (answer, err error) {
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = []kmsg.MetadataRequestTopic{}
	request.AllowAutoTopicCreation = true
	if topic != "" {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = &topic
		request.Topics = append(request.Topics, t)
	}
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return nil, err
	}
	for _, t := range response.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
			return err, nil
		}
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil && err != kerr.ReplicaNotAvailable {
				return err, nil
			}
		}
	}
	return nil, nil
}
