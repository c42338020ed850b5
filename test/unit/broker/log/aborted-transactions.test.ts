import { describe, expect, it } from 'vitest'
import { MemoryDisk } from '../../../../src/real/memory-disk.ts'
import type { PartitionLog } from '../../../../broker/log/partition-log.ts'
import {
  appendMarker,
  appendOk,
  batch,
  DIRECTORY,
  filesOf,
  flushed,
  marker,
  openLog,
} from '../../../support/log-world.ts'

/** Appends transactional records and returns their base offset. */
function write(log: PartitionLog, producerId: number, baseSequence = 0): number {
  const producer = { producerId, producerEpoch: 0, baseSequence, isTransactional: true }
  return appendOk(log, batch(producer))
}

function end(log: PartitionLog, producerId: number, isCommit: boolean): void {
  expect(appendMarker(log, marker({ producerId, isCommit })).error).toBe(0)
}

describe('the last stable offset', () => {
  it('stops at the first record of the earliest open transaction', () => {
    const log = openLog(new MemoryDisk())
    appendOk(log, batch({ count: 3 }))
    log.updateHighWatermark(3)
    expect(log.lastStableOffset).toBe(3)
    write(log, 1)
    write(log, 2)
    appendOk(log, batch())
    log.updateHighWatermark(6)
    expect(log.lastStableOffset).toBe(3)
    end(log, 1, true)
    log.updateHighWatermark(7)
    expect(log.lastStableOffset).toBe(4)
    end(log, 2, false)
    log.updateHighWatermark(8)
    expect(log.lastStableOffset).toBe(8)
  })

  it('passes a marker only when the marker is below the high watermark', () => {
    const log = openLog(new MemoryDisk())
    write(log, 1)
    end(log, 1, true)
    log.updateHighWatermark(1)
    expect(log.lastStableOffset).toBe(0)
    log.updateHighWatermark(2)
    expect(log.lastStableOffset).toBe(2)
  })

  it('is never below the log start', () => {
    const log = openLog(new MemoryDisk())
    write(log, 1)
    appendOk(log, batch({ count: 5 }))
    log.updateHighWatermark(6)
    log.incrementLogStartOffset(4)
    expect(log.lastStableOffset).toBe(4)
  })
})

describe('aborted transactions', () => {
  function filled(): { readonly disk: MemoryDisk; readonly log: PartitionLog } {
    const disk = new MemoryDisk()
    const log = openLog(disk, { config: { segmentBytes: 500 } })
    write(log, 1) // 0
    write(log, 2) // 1
    end(log, 1, false) // 2: producer 1 aborted 0..2
    write(log, 1, 1) // 3
    end(log, 1, true) // 4
    appendOk(log, batch({ count: 5 })) // 5..9
    write(log, 3) // 10
    end(log, 2, false) // 11: producer 2 aborted 1..11
    end(log, 3, false) // 12: producer 3 aborted 10..12
    return { disk, log }
  }

  it('are found where they overlap what is read', () => {
    const { log } = filled()
    expect(log.segmentBaseOffsets.length).toBeGreaterThan(1)
    const producers = (from: number, to: number): readonly number[] =>
      log.abortedTransactions(from, to).map((transaction) => transaction.producerId)
    expect(log.abortedTransactions(0, 1)).toEqual([
      { producerId: 1, firstOffset: 0, lastOffset: 2, lastStableOffset: 1 },
    ])
    expect(producers(0, 2)).toEqual([1, 2])
    expect(producers(3, 4)).toEqual([2])
    expect(producers(5, 13)).toEqual([2, 3])
    expect(producers(12, 13)).toEqual([3])
    expect(producers(13, 99)).toEqual([])
  })

  it('are stored in 34 bytes each, in a file that exists only where there is one', async () => {
    const { disk, log } = filled()
    await flushed(log)
    log.close()
    const names = [...filesOf(disk).keys()].filter((name) => name.endsWith('.txnindex'))
    expect(names.length).toBe(2)
    const bytes = filesOf(disk).get(names[0]!)!
    const fields = ['0000', '0000000000000001', '0000000000000000', '0000000000000002']
    expect(bytes.toString('hex')).toBe([...fields, '0000000000000001'].join(''))
    const plain = new MemoryDisk()
    const other = openLog(plain)
    appendOk(other, batch())
    other.close()
    expect(plain.list(DIRECTORY).filter((name) => name.endsWith('.txnindex'))).toEqual([])
  })

  it('are open again when their marker is cut off', () => {
    const { log } = filled()
    log.updateHighWatermark(13)
    log.truncateTo(12)
    expect(log.abortedTransactions(0, 99).map((found) => found.producerId)).toEqual([1, 2])
    expect(log.lastStableOffset).toBe(10)
    log.truncateTo(11)
    expect(log.abortedTransactions(0, 99).map((found) => found.producerId)).toEqual([1])
    expect(log.lastStableOffset).toBe(1)
    end(log, 2, true)
    end(log, 3, true)
    log.updateHighWatermark(99)
    expect(log.lastStableOffset).toBe(13)
    expect(log.abortedTransactions(0, 99).length).toBe(1)
  })
})
