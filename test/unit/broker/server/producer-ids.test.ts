import { describe, expect, it } from 'vitest'
import { ProducerIds } from '../../../../broker/server/producer-ids.ts'
import type { ControllerSender } from '../../../../broker/server/request-context.ts'
import { TimeoutError } from '../../../../src/base/errors.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'

type Done = (error: Error | null, response: unknown) => void

/** A controller that hands out blocks when the test says so. */
class Blocks {
  readonly asked: { body: unknown; done: Done }[] = []
  readonly given: [code: number, id: number][] = []
  readonly ids: ProducerIds

  constructor() {
    const channel: ControllerSender = {
      send: (_api, _version, body, _timeoutMs, done) => {
        this.asked.push({ body, done: done as Done })
      },
    }
    this.ids = new ProducerIds({ brokerId: 3, brokerEpoch: () => 8, channel, timeoutMs: 1000 })
  }

  next(count = 1): void {
    for (let i = 0; i < count; i += 1) {
      this.ids.next((code, id) => this.given.push([code, id]))
    }
  }

  answer(errorCode: number, producerIdStart = -1, producerIdLen = 0): void {
    this.asked.at(-1)!.done(null, { errorCode, producerIdStart, producerIdLen })
  }
}

describe('ProducerIds', () => {
  it('asks for a block when the first id is needed, once for all who wait', () => {
    const blocks = new Blocks()
    blocks.next(3)
    expect(blocks.asked.map(({ body }) => body)).toEqual([{ brokerId: 3, brokerEpoch: 8 }])
    expect(blocks.given).toEqual([])
    blocks.answer(ErrorCode.NONE, 5000, 1000)
    expect(blocks.given).toEqual([
      [0, 5000],
      [0, 5001],
      [0, 5002],
    ])
  })

  it('hands out a whole block, each id once, before it asks for the next', () => {
    const blocks = new Blocks()
    blocks.next()
    blocks.answer(ErrorCode.NONE, 10, 3)
    blocks.next(2)
    expect(blocks.asked).toHaveLength(1)
    blocks.next()
    expect(blocks.asked).toHaveLength(2)
    blocks.answer(ErrorCode.NONE, 100, 3)
    expect(blocks.given.map(([, id]) => id)).toEqual([10, 11, 12, 100])
  })

  it('asks again for those who did not fit into the block', () => {
    const blocks = new Blocks()
    blocks.next(5)
    blocks.answer(ErrorCode.NONE, 0, 2)
    expect(blocks.asked).toHaveLength(2)
    blocks.answer(ErrorCode.NONE, 10, 2)
    blocks.answer(ErrorCode.NONE, 20, 2)
    expect(blocks.given.map(([, id]) => id)).toEqual([0, 1, 10, 11, 20])
  })

  it('lets callers try again after a refusal, and itself asks again for the next caller', () => {
    const blocks = new Blocks()
    blocks.next(2)
    blocks.answer(ErrorCode.STALE_BROKER_EPOCH)
    expect(blocks.given).toEqual([
      [ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, -1],
      [ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, -1],
    ])
    blocks.next()
    blocks.asked.at(-1)!.done(new TimeoutError('no controller'), null)
    blocks.next()
    blocks.answer(ErrorCode.NONE, 0, 1)
    expect(blocks.given.slice(2)).toEqual([
      [ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, -1],
      [0, 0],
    ])
  })

  it('bounds how many wait', () => {
    const blocks = new Blocks()
    blocks.next(10_001)
    expect(blocks.given).toEqual([[ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, -1]])
  })
})
