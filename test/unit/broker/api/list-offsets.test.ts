import { expect, it } from 'vitest'
import { listOffsetsHandler } from '../../../../broker/api/02-list-offsets.ts'
import type { ListOffsetsInput } from '../../../../broker/replica/offset-lookup.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { ApiWorld } from '../../../support/api-world.ts'

it('refuses a partition that is listed twice once, after the others', () => {
  const replicas = {
    listOffsets: ({ entries }: ListOffsetsInput) =>
      entries.map(({ topic, partition }) => ({
        topic,
        partition,
        error: partition === 0 ? ErrorCode.INVALID_REQUEST : ErrorCode.NONE,
        timestamp: -1,
        offset: -1,
        leaderEpoch: -1,
      })),
  }
  const world = new ApiWorld({ services: { replicas: replicas as never } })
  const partitions = [0, 0, 1].map((partitionIndex) => ({ partitionIndex, timestamp: -1 }))
  const { topics } = world.ask(listOffsetsHandler, 8, { topics: [{ name: 't', partitions }] })
  expect(
    topics[0]!.partitions.map(({ partitionIndex, errorCode }) => [partitionIndex, errorCode]),
  ).toEqual([
    [1, ErrorCode.NONE],
    [0, ErrorCode.INVALID_REQUEST],
  ])
})
