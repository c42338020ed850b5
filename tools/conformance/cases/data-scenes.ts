import { writeBatch } from '../../../src/wire/record-batch.ts'
import type { Body, NeededTopic, Scene } from '../case.ts'
import { withPayload } from '../fuzz/bombs.ts'

/** Of this run, since retention would take older records away. */
const TIME_MS = Date.now()
/** Topics that are there from the start and that no case changes. */
export const DATA_TOPIC: NeededTopic = { name: 'data', partitions: 1 }
export const WIDE_TOPIC: NeededTopic = { name: 'wide', partitions: 3 }
export const DATA_RECORDS = 5

/** The same bytes for both clusters. */
export function batch(count = 1): Buffer {
  const records = Array.from({ length: count }, (_, index) => ({
    key: Buffer.from(`k${index}`),
    value: Buffer.from(`v${index}`),
  }))
  return writeBatch({ records, timestampMs: TIME_MS })
}

const CODECS = [1, 2, 3, 4] as const

export function produceBody(topic: string, records: Buffer, more: Body = {}): Body {
  const partitionData = [{ index: 0, records }]
  return {
    acks: -1,
    timeoutMs: 5000,
    topicData: [{ name: topic, topicId: `$topicId:${topic}`, partitionData }],
    ...more,
  }
}

function damaged(change: (bytes: Buffer) => void): Buffer {
  const bytes = batch()
  change(bytes)
  return bytes
}

const produce = (name: string, body: Body): Scene => ({
  name,
  body,
  topics: [{ name: 'p-{c}', partitions: 1 }],
  isVaried: name === 'one batch',
})

export const PRODUCE_SCENES: readonly Scene[] = [
  produce('one batch', produceBody('p-{c}', batch())),
  produce('acks of the leader', produceBody('p-{c}', batch(), { acks: 1 })),
  produce(
    'a wrong CRC',
    produceBody(
      'p-{c}',
      damaged((bytes) => bytes.writeUInt8(9, bytes.length - 1)),
    ),
  ),
  produce(
    'magic 1',
    produceBody(
      'p-{c}',
      damaged((bytes) => bytes.writeInt8(1, 16)),
    ),
  ),
  produce(
    'magic 7',
    produceBody(
      'p-{c}',
      damaged((bytes) => bytes.writeInt8(7, 16)),
    ),
  ),
  produce('two batches', produceBody('p-{c}', Buffer.concat([batch(), batch()]))),
  produce('a batch cut short', produceBody('p-{c}', batch().subarray(0, 50))),
  produce('larger than message.max.bytes', {
    ...produceBody(
      'p-{c}',
      writeBatch({
        records: [{ key: null, value: Buffer.alloc(1_100_000, 7) }],
        timestampMs: TIME_MS,
      }),
    ),
  }),
  ...CODECS.map((codec) =>
    produce(
      `compressed by codec ${codec}`,
      produceBody(
        'p-{c}',
        writeBatch({
          records: [{ key: null, value: Buffer.from('v') }],
          timestampMs: TIME_MS,
          codec,
        }),
      ),
    ),
  ),
  ...CODECS.map((codec) =>
    produce(
      `no data of codec ${codec}`,
      produceBody('p-{c}', withPayload(codec, Buffer.from('no such data'), TIME_MS)),
    ),
  ),
  produce('an unknown partition', {
    acks: -1,
    timeoutMs: 5000,
    topicData: [
      { name: 'p-{c}', topicId: '$topicId:p-{c}', partitionData: [{ index: 7, records: batch() }] },
    ],
  }),
]

const fetchBody: Body = {
  maxWaitMs: 0,
  minBytes: 0,
  maxBytes: 1_000_000,
  topics: [
    {
      topic: 'data',
      topicId: '$topicId:data',
      partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100_000 }],
    },
  ],
  forgottenTopicsData: [],
}

export const FETCH_SCENES: readonly Scene[] = [
  { name: 'from the start', body: fetchBody },
  { name: 'no session', body: { ...fetchBody, sessionId: 0, sessionEpoch: -1 }, isVaried: false },
  {
    name: 'committed only',
    body: { ...fetchBody, isolationLevel: 1, sessionEpoch: -1 },
    isVaried: false,
  },
]

const offsetsOf = (timestamp: number): Body => ({
  replicaId: -1,
  isolationLevel: 0,
  timeoutMs: 1000,
  topics: [
    { name: 'data', partitions: [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp }] },
  ],
})

export const LIST_OFFSETS_SCENES: readonly Scene[] = [
  { name: 'latest', body: offsetsOf(-1) },
  ...[-2, -3, -4, -5, -6, -7, 0, TIME_MS, TIME_MS + 1].map((timestamp) => ({
    name:
      timestamp < TIME_MS
        ? `timestamp ${timestamp}`
        : `its own timestamp and ${timestamp - TIME_MS} ms`,
    body: offsetsOf(timestamp),
    isVaried: false,
  })),
]

export const DELETE_RECORDS_SCENES: readonly Scene[] = [
  {
    name: 'nothing of an empty topic',
    topics: [{ name: 'dr-{c}', partitions: 1 }],
    body: {
      timeoutMs: 2000,
      topics: [{ name: 'dr-{c}', partitions: [{ partitionIndex: 0, offset: 0 }] }],
    },
  },
  {
    name: 'below the third record',
    topics: [{ name: 'dr-{c}', partitions: 1 }],
    before: [{ key: 0, version: 9, body: produceBody('dr-{c}', batch(5)) }],
    body: {
      timeoutMs: 2000,
      topics: [{ name: 'dr-{c}', partitions: [{ partitionIndex: 0, offset: 3 }] }],
    },
    isVaried: false,
  },
]

export const LEADER_EPOCH_SCENES: readonly Scene[] = [
  {
    name: 'the first epoch',
    body: {
      replicaId: -1,
      topics: [
        { topic: 'data', partitions: [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch: 0 }] },
      ],
    },
  },
]

const consumerGroup: Body = { key: 'g-{c}', keyType: 0, coordinatorKeys: ['g-{c}'] }

export const FIND_COORDINATOR_SCENES: readonly Scene[] = [
  { name: 'of a group', body: consumerGroup },
  {
    name: 'of two groups',
    body: { keyType: 0, key: '', coordinatorKeys: ['a', ''] },
    isVaried: false,
  },
]
