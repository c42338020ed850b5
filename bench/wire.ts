// Question: how many messages a second do the compiled codecs and the batch functions handle?
// Run with `npx node bench/wire.ts`; prints operations per second and bytes per operation.
import type { Input } from '../src/wire/schema.ts'
import type { FetchResponse } from '../src/wire/messages/01-fetch.ts'
import type { MetadataResponse } from '../src/wire/messages/03-metadata.ts'
import type { ProduceRequest } from '../src/wire/messages/00-produce.ts'
import type { MessageSchema } from '../src/wire/schema.ts'
import { Bench } from 'tinybench'
import { produceRequest } from '../src/wire/messages/00-produce.ts'
import { fetchResponse } from '../src/wire/messages/01-fetch.ts'
import { metadataResponse } from '../src/wire/messages/03-metadata.ts'
import { isBatchCrcValid, readRecords, writeBatch } from '../src/wire/record-batch.ts'
import { decodeFromBuffer, encodeMessage, encodeToBuffer } from '../src/wire/schema.ts'
import { Writer } from '../src/wire/writer.ts'

const NOW_MS = 1_700_000_000_000
const TIME_MS = 300

const inputs = Array.from({ length: 100 }, (_, index) => ({
  key: Buffer.from(`key-${index}`),
  value: Buffer.from(`a value of some sixty bytes, which is not much, number ${index}`),
}))
const records = writeBatch({ records: inputs, timestampMs: NOW_MS })

const produce: Input<ProduceRequest> = {
  acks: -1,
  timeoutMs: 30_000,
  topicData: [
    { name: 'orders', partitionData: times(3, (index) => ({ index, records })) },
    { name: 'payments', partitionData: times(3, (index) => ({ index, records })) },
  ],
}
const fetched: Input<FetchResponse> = {
  responses: times(2, () => ({
    topicId: 'AAECAwQFBgcICQoLDA0ODw',
    partitions: times(5, (partitionIndex) => ({
      partitionIndex,
      highWatermark: 1_000_000,
      lastStableOffset: 1_000_000,
      logStartOffset: 0,
      records,
    })),
  })),
}
const metadata: Input<MetadataResponse> = {
  brokers: times(3, (nodeId) => ({ nodeId, host: 'localhost', port: 9092 + nodeId })),
  clusterId: 'AAECAwQFBgcICQoLDA0ODw',
  controllerId: 1,
  topics: times(20, (index) => ({
    name: `topic-${index}`,
    topicId: 'AAECAwQFBgcICQoLDA0ODw',
    partitions: times(6, (partitionIndex) => ({
      partitionIndex,
      leaderId: 1,
      leaderEpoch: 4,
      replicaNodes: [1, 2, 3],
      isrNodes: [1, 2, 3],
    })),
  })),
}

const bench = new Bench({ time: TIME_MS, warmupTime: 100 })
addMessage('Produce v9 request, 6 partitions', produceRequest, 9, produce)
addMessage('Fetch v13 response, 10 partitions', fetchResponse, 13, fetched)
addMessage('Metadata v12 response, 120 partitions', metadataResponse, 12, metadata)
bench.add('batch of 100 records, write', () => {
  writeBatch({ records: inputs, timestampMs: NOW_MS })
})
bench.add('batch of 100 records, read', () => {
  readRecords(records, 0)
})
bench.add('batch of 100 records, check CRC', () => {
  isBatchCrcValid(records, 0)
})
await bench.run()
console.table(bench.table())

function addMessage<T>(
  name: string,
  schema: MessageSchema<T>,
  version: number,
  value: Input<T>,
): void {
  const encoded = encodeToBuffer(schema, version, value as NoInfer<Input<T>>)
  bench.add(`${name}, encode ${encoded.length} bytes`, () => {
    const writer = new Writer()
    encodeMessage(schema, version, value as NoInfer<Input<T>>, writer)
    writer.toBuffers()
  })
  bench.add(`${name}, decode`, () => {
    decodeFromBuffer(schema, version, encoded)
  })
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}
