import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { metadataRecord } from '../../../../src/wire/metadata-record.ts'
import { ControlWorld } from '../../../support/control-world.ts'

describe('AllocateProducerIds', () => {
  it('gives every asker the next block of 1000, also after a change of controllers', () => {
    const world = new ControlWorld()
    world.start(1, 2)
    const next = (id: number) => world.allocateProducerIds(id)
    expect(next(1)).toEqual({ errorCode: 0, producerIdStart: 0, producerIdLen: 1000 })
    expect(next(2)).toMatchObject({ producerIdStart: 1000 })
    world.failOver()
    expect(next(1)).toMatchObject({ producerIdStart: 2000 })
  })

  it('refuses another broker epoch', () => {
    const world = new ControlWorld()
    expect(world.allocateProducerIds(1).errorCode).toBe(ErrorCode.STALE_BROKER_EPOCH)
  })

  it('refuses when the ids are used up', () => {
    const world = new ControlWorld()
    world.start(1)
    const nextProducerId = Number.MAX_SAFE_INTEGER - 999
    const record = metadataRecord('ProducerIdsRecord', { brokerId: 1, nextProducerId })
    world.log.push({ record, offset: world.lastOffset + 1, epoch: world.epoch })
    world.failOver()
    expect(world.allocateProducerIds(1).errorCode).toBe(ErrorCode.UNKNOWN_SERVER_ERROR)
  })
})
