import { describe, expect, it } from 'vitest'
import { listOffsetsHandler } from '../../../../broker/api/02-list-offsets.ts'
import { mergedTopics } from '../../../../broker/api/repeated-topics.ts'
import type { NodeServices } from '../../../../broker/server/request-context.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { ApiWorld } from '../../../support/api-world.ts'

interface Topic {
  readonly name: string
  readonly partitions: readonly number[]
}

function merged(topics: readonly Topic[]): readonly Topic[] {
  return mergedTopics(topics, {
    key: ({ name }) => name,
    partitions: ({ partitions }) => partitions,
    with: (topic, partitions) => ({ ...topic, partitions }),
  })
}

// As Apache Kafka 4.3.1 answers.
describe('topics that a request names twice, or without partitions', () => {
  it('count once, in the order of the first time', () => {
    const topics = [
      { name: 'a', partitions: [0] },
      { name: 'none', partitions: [] },
      { name: 'b', partitions: [1] },
      { name: 'a', partitions: [2, 0] },
    ]
    expect(merged(topics)).toEqual([
      { name: 'a', partitions: [0, 2, 0] },
      { name: 'b', partitions: [1] },
    ])
    expect(topics[0]).toEqual({ name: 'a', partitions: [0] })
  })

  it('are answered once by ListOffsets', () => {
    const replicas = {
      listOffsets: ({ entries }: { entries: readonly { topic: string; partition: number }[] }) =>
        entries.map(({ topic, partition }) => ({
          topic,
          partition,
          error: ErrorCode.INVALID_REQUEST,
          timestamp: -1,
          offset: -1,
          leaderEpoch: -1,
        })),
    } as unknown as NodeServices['replicas']
    const partitions = [{ partitionIndex: 0, timestamp: -1 }]
    const topics = [
      { name: 't', partitions },
      { name: 't', partitions },
      { name: 'u', partitions: [] },
    ]
    const answer = new ApiWorld({ services: { replicas } }).ask(listOffsetsHandler, 5, { topics })
    expect(answer.topics.map(({ name, partitions: got }) => [name, got.length])).toEqual([['t', 1]])
  })
})
