import { describe, expect, it } from 'vitest'
import { KafkaError } from '../../../../src/client/kafka-error.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { listOffsetsApi } from '../../../../src/wire/messages/02-list-offsets.ts'
import { deleteRecordsApi } from '../../../../src/wire/messages/21-delete-records.ts'
import { ADMIN_TIMEOUT_MS, scriptedAdmin } from '../../../support/scripted-admin.ts'

describe('Admin.records', () => {
  it('gives every partition an outcome of its own', async () => {
    const { admin, done, broker } = scriptedAdmin()
    broker.on(deleteRecordsApi, ({ body }, reply) =>
      reply({
        topics: body.topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex }) =>
            partitionIndex === 0
              ? { partitionIndex, lowWatermark: 5 }
              : { partitionIndex, errorCode: ErrorCode.OFFSET_OUT_OF_RANGE },
          ),
        })),
      }),
    )
    const outcomes = await done(
      admin.records.delete([
        { topic: 't', partition: 0, offset: 5 },
        { topic: 't', partition: 1, offset: 99 },
        { topic: 'none', partition: 0, offset: 1 },
      ]),
    )
    expect(outcomes.get('t-0')).toBe(5)
    expect(outcomes.get('t-1')).toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })
    expect(outcomes.get('none-0')).toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining(`none-0: not done within ${ADMIN_TIMEOUT_MS} ms`),
    })
    // What was answered is not asked again while the topic that is not there is looked for.
    expect(broker.requests(deleteRecordsApi)).toHaveLength(1)
  })

  it('asks again for what may pass, and only for that', async () => {
    const { scripted, admin, done } = scriptedAdmin(2)
    const refused = new Set<number>()
    for (const broker of scripted.brokers.values()) {
      broker.on(listOffsetsApi, ({ body }, reply) =>
        reply({
          topics: body.topics.map(({ name, partitions }) => ({
            name,
            partitions: partitions.map(({ partitionIndex }) => {
              const isFirst = partitionIndex === 1 && !refused.has(partitionIndex)
              refused.add(partitionIndex)
              return isFirst
                ? { partitionIndex, errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER }
                : { partitionIndex, offset: 7, timestamp: -1 }
            }),
          })),
        }),
      )
    }
    const query = (partition: number) => ({ topic: 't', partition, timestampMs: -1 })
    const outcomes = await done(admin.records.offsets([query(0), query(1)]))
    expect([...outcomes.values()]).toEqual([
      { offset: 7, timestampMs: -1 },
      { offset: 7, timestampMs: -1 },
    ])
    const asked = [...scripted.brokers.values()].flatMap((broker) =>
      broker
        .requests(listOffsetsApi)
        .flatMap(({ body }) => body.topics.flatMap(({ partitions }) => partitions))
        .map(({ partitionIndex }) => partitionIndex),
    )
    expect(asked.sort((a, b) => a - b)).toEqual([0, 1, 1])
  })

  it('does not ask a broker that cannot know a special timestamp', async () => {
    const { admin, done, broker } = scriptedAdmin()
    broker.advertise(
      new Map([
        [2, [1, 10]],
        [3, [4, 12]],
        [18, [0, 4]],
      ]),
    )
    const outcomes = await done(
      admin.records.offsets([{ topic: 't', partition: 0, timestampMs: -6 }]),
    )
    expect(outcomes.get('t-0')).toBeInstanceOf(KafkaError)
    expect(outcomes.get('t-0')).toMatchObject({ code: 'UNSUPPORTED_VERSION' })
  })
})
