import { describe, expect, it } from 'vitest'
import { topicConfigDef } from '../../../../../broker/config.ts'
import { ZERO_UUID } from '../../../../../src/base/uuid.ts'
import {
  partitionRow,
  replicationFactor,
  topicRow,
} from '../../../../../src/cli/topics/topic-rows.ts'
import type { DescribedConfig, PartitionDescription } from '../../../../../src/client/index.ts'

const PARTITION: PartitionDescription = {
  partition: 0,
  leader: 2,
  leaderEpoch: 1,
  replicas: [2, 3, 1],
  isr: [2, 3],
  elr: [],
  lastKnownElr: [1],
}
const MOVE = { topic: 't', partition: 0, replicas: [2, 3, 1], adding: [3], removing: [1] }

function config(name: string, value: string, source: number): DescribedConfig {
  return { name, value, source, isReadOnly: false, isSensitive: false, synonyms: [] }
}

describe('the rows of topics --describe', () => {
  it('show a topic with what was set, in the order of Kafka', () => {
    const id = 'Z3mmuzFLSKePgKxTwYzBMQ'
    const topic = { name: 'conf', id, isInternal: false, partitions: [PARTITION] }
    const set = new Map([
      ['cleanup.policy', 'compact'],
      ['min.insync.replicas', '1'],
      ['retention.ms', '1000'],
    ])
    // All settings of a topic, as brokers answer them: the order depends on how many there are.
    const configs = [...topicConfigDef.keys.keys()].map((name) =>
      config(name, set.get(name) ?? 'x', set.has(name) ? 1 : 5),
    )
    expect(topicRow(topic, configs, null)).toBe(
      'Topic: conf\tTopicId: Z3mmuzFLSKePgKxTwYzBMQ\tPartitionCount: 1\tReplicationFactor: 3\t' +
        'Configs: min.insync.replicas=1,cleanup.policy=compact,retention.ms=1000',
    )
    expect(topicRow({ ...topic, id: ZERO_UUID }, [], null)).not.toContain('TopicId')
  })

  it('show a partition, without a leader, without knowledge of eligible leaders, and on the move', () => {
    expect(partitionRow('t', PARTITION, null)).toBe(
      '\tTopic: t\tPartition: 0\tLeader: 2\tReplicas: 2,3,1\tIsr: 2,3\tElr: \tLastKnownElr: 1',
    )
    const bare = { ...PARTITION, leader: -1, elr: null, lastKnownElr: null }
    expect(partitionRow('t', bare, MOVE)).toBe(
      '\tTopic: t\tPartition: 0\tLeader: none\tReplicas: 2,3,1\tIsr: 2,3\tAdding Replicas: 3\t' +
        'Removing Replicas: 1\tElr: N/A\tLastKnownElr: N/A',
    )
  })

  it('count replicas that are to stay', () => {
    expect(replicationFactor(PARTITION, MOVE)).toBe(2)
    expect(replicationFactor({ ...PARTITION, replicas: [2, 5] }, MOVE)).toBe(2)
    expect(replicationFactor(PARTITION, null)).toBe(3)
  })
})
