// Command franz-go runs the Go client through its steps: one line for each, 1 on a failure.
package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const timeout = 20 * time.Second

var (
	bootstrap = strings.Split(os.Args[1], ",")
	topic     = fmt.Sprintf("franz-%d", os.Getpid())
	codecs    = map[string]kgo.CompressionCodec{
		"gzip":   kgo.GzipCompression(),
		"lz4":    kgo.Lz4Compression(),
		"snappy": kgo.SnappyCompression(),
		"zstd":   kgo.ZstdCompression(),
	}
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*timeout)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap...))
	if err != nil {
		fmt.Println("admin failed:", err)
		os.Exit(1)
	}
	adm := kadm.NewClient(client)
	steps := []struct {
		name string
		run  func() error
	}{
		{"admin", func() error { return admin(ctx, adm) }},
		{"produce", func() error { return send(ctx, topic, []string{"a", "b", "c"}) }},
		{"consume", func() error { return read(ctx, topic+"-consume", topic, []string{"a", "b", "c"}) }},
		{"group", func() error { return group(ctx, adm, topic+"-consume") }},
		{"codecs", func() error { return everyCodec(ctx, adm) }},
	}
	for _, step := range steps {
		if err := step.run(); err != nil {
			fmt.Printf("%s failed: %v\n", step.name, err)
			os.Exit(1)
		}
		fmt.Println(step.name, "ok")
	}
}

func admin(ctx context.Context, adm *kadm.Client) error {
	if _, err := adm.CreateTopic(ctx, 2, 1, nil, topic); err != nil {
		return err
	}
	grown, err := adm.UpdatePartitions(ctx, 3, topic)
	if err != nil {
		return err
	}
	if err := grown.Error(); err != nil {
		return err
	}
	configs, err := adm.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return err
	}
	if len(configs) != 1 || configs[0].Err != nil {
		return fmt.Errorf("expected the settings of one topic, got %v", configs)
	}
	return nil
}

func send(ctx context.Context, to string, values []string, options ...kgo.Opt) error {
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(bootstrap...))...)
	if err != nil {
		return err
	}
	defer client.Close()
	for _, value := range values {
		record := &kgo.Record{Topic: to, Key: []byte(value), Value: []byte(value)}
		if err := client.ProduceSync(ctx, record).FirstErr(); err != nil {
			return err
		}
	}
	return nil
}

func read(ctx context.Context, group, from string, wanted []string) error {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(bootstrap...),
		kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(from),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var values []string
	for len(values) < len(wanted) {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachRecord(func(record *kgo.Record) { values = append(values, string(record.Value)) })
	}
	slices.Sort(values)
	if !slices.Equal(values, wanted) {
		return fmt.Errorf("expected %v, got %v", wanted, values)
	}
	return client.CommitUncommittedOffsets(ctx)
}

func group(ctx context.Context, adm *kadm.Client, name string) error {
	described, err := adm.DescribeGroups(ctx, name)
	if err != nil {
		return err
	}
	if state := described[name].State; state != "Empty" {
		return fmt.Errorf("expected an empty group, got %s", state)
	}
	offsets, err := adm.FetchOffsets(ctx, name)
	if err != nil {
		return err
	}
	sum := int64(0)
	offsets.Each(func(offset kadm.OffsetResponse) { sum += max(0, offset.At) })
	if sum != 3 {
		return fmt.Errorf("expected offsets of 3 records, got %d", sum)
	}
	_, err = adm.DeleteGroups(ctx, name)
	return err
}

func everyCodec(ctx context.Context, adm *kadm.Client) error {
	packed := topic + "-codecs"
	if _, err := adm.CreateTopic(ctx, 1, 1, nil, packed); err != nil {
		return err
	}
	for name, codec := range codecs {
		if err := send(ctx, packed, []string{name}, kgo.ProducerBatchCompression(codec)); err != nil {
			return err
		}
	}
	if err := read(ctx, packed+"-read", packed, []string{"gzip", "lz4", "snappy", "zstd"}); err != nil {
		return err
	}
	_, err := adm.DeleteTopics(ctx, topic, packed)
	return err
}
