"""librdkafka by confluent-kafka for Python: one line for each step, 1 on a failure."""

import os
import sys

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

BOOTSTRAP = sys.argv[1]
TOPIC = f"librdkafka-{os.getpid()}"
GROUP = f"{TOPIC}-consume"
CODECS = ["gzip", "snappy", "lz4", "zstd"]
TIMEOUT_S = 20
admin = AdminClient({"bootstrap.servers": BOOTSTRAP})


def wait(futures):
    return [future.result(TIMEOUT_S) for future in futures.values()]


def check(seen, wanted):
    if seen != wanted:
        raise RuntimeError(f"expected {wanted}, got {seen}")


def send(topic, values, **settings):
    producer = Producer({"bootstrap.servers": BOOTSTRAP, **settings})
    for value in values:
        producer.produce(topic, key=value, value=value)
    check(producer.flush(TIMEOUT_S), 0)


def read(group, topic, count):
    consumer = Consumer(
        {
            "bootstrap.servers": BOOTSTRAP,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([topic])
    values = []
    for _ in range(TIMEOUT_S * 10):
        message = consumer.poll(0.1)
        if message is None:
            continue
        if message.error():
            raise RuntimeError(str(message.error()))
        values.append(message.value().decode())
        if len(values) == count:
            break
    consumer.commit(asynchronous=False)
    consumer.close()
    return sorted(values)


def admin_step():
    wait(admin.create_topics([NewTopic(TOPIC, 2, 1)]))
    wait(admin.create_partitions([NewPartitions(TOPIC, 3)]))
    resource = ConfigResource(ConfigResource.Type.TOPIC, TOPIC)
    [configs] = wait(admin.describe_configs([resource]))
    check(configs["cleanup.policy"].value, "delete")


def produce_step():
    send(TOPIC, ["a", "b", "c"], **{"enable.idempotence": True})


def consume_step():
    check(read(GROUP, TOPIC, 3), ["a", "b", "c"])


def group_step():
    [group] = wait(admin.describe_consumer_groups([GROUP]))
    check(group.state.name, "EMPTY")
    [offsets] = wait(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(GROUP)]))
    check(sum(p.offset for p in offsets.topic_partitions if p.offset > 0), 3)
    wait(admin.delete_consumer_groups([GROUP]))


def codecs_step():
    topic = f"{TOPIC}-codecs"
    wait(admin.create_topics([NewTopic(topic, 1, 1)]))
    for codec in CODECS:
        send(topic, [codec], **{"compression.type": codec})
    check(read(f"{topic}-read", topic, len(CODECS)), sorted(CODECS))
    wait(admin.delete_topics([TOPIC, topic]))


STEPS = {
    "admin": admin_step,
    "produce": produce_step,
    "consume": consume_step,
    "group": group_step,
    "codecs": codecs_step,
}
for name, step in STEPS.items():
    try:
        step()
        print(f"{name} ok", flush=True)
    except Exception as error:
        print(f"{name} failed: {error}", flush=True)
        sys.exit(1)
