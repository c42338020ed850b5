import { describe, expect, it } from 'vitest'
import { Checkpoints } from '../../../../broker/replica/checkpoints.ts'
import { PartitionBench } from '../../../support/replica-partition.ts'

function setUp() {
  const bench = new PartitionBench()
  const { store } = bench.world.node('broker-1').ports
  bench.lead({ isr: [1] })
  for (const value of ['a', 'b']) bench.append(value)
  return { bench, store, checkpoints: new Checkpoints(store), key: bench.partition.key }
}

describe('Checkpoints', () => {
  it('knows nothing at first', () => {
    const { checkpoints, key } = setUp()
    expect(checkpoints.highWatermark(key)).toBe(0)
    expect(checkpoints.recoveryPoint(key)).toBe(0)
    expect(checkpoints.logStartOffset(key)).toBe(0)
  })

  it('keeps the high watermark, recovery point and log start of each partition', () => {
    const { bench, store, checkpoints, key } = setUp()
    bench.partition.log.incrementLogStartOffset(1)
    bench.partition.log.flush(() => {})
    bench.world.runFor(100)
    expect(checkpoints.write([bench.partition])).toBe(true)
    expect(checkpoints.write([bench.partition])).toBe(false)
    const read = new Checkpoints(store)
    expect(read.highWatermark(key)).toBe(2)
    expect(read.recoveryPoint(key)).toBe(2)
    expect(read.logStartOffset(key)).toBe(1)
    expect(store.keys('hw/')).toEqual([`hw/${key}`])
  })

  it('lowers the recovery point of a log that was cut', () => {
    const { bench, checkpoints, key } = setUp()
    bench.partition.log.flush(() => {})
    bench.world.runFor(100)
    checkpoints.write([bench.partition])
    bench.partition.log.truncateTo(1)
    expect(checkpoints.writeRecoveryPoint(bench.partition)).toBe(true)
    expect(checkpoints.recoveryPoint(key)).toBe(1)
    expect(checkpoints.writeRecoveryPoint(bench.partition)).toBe(false)
  })

  it('forgets a partition, and takes nonsense for nothing', () => {
    const { bench, store, checkpoints, key } = setUp()
    checkpoints.write([bench.partition])
    checkpoints.forget(key)
    expect(store.keys('')).toEqual([])
    store.put(`hw/${key}`, 'seven')
    store.put(`recovery-point/${key}`, -3)
    expect(checkpoints.highWatermark(key)).toBe(0)
    expect(checkpoints.recoveryPoint(key)).toBe(0)
  })
})
