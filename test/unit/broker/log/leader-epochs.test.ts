import { describe, expect, it } from 'vitest'
import { MemoryDisk } from '../../../../src/real/memory-disk.ts'
import { LeaderEpochs } from '../../../../broker/log/leader-epochs.ts'
import {
  appendOk,
  batch,
  DIRECTORY,
  openLog,
  overwrite,
  readWhole,
} from '../../../support/log-world.ts'

function epochs(...entries: readonly (readonly [number, number])[]): LeaderEpochs {
  const disk = new MemoryDisk()
  const made = new LeaderEpochs(disk, DIRECTORY, [])
  for (const [epoch, startOffset] of entries) made.assign(epoch, startOffset)
  return made
}

function pairs(of: LeaderEpochs): readonly (readonly [number, number])[] {
  return of.entries.map((entry) => [entry.epoch, entry.startOffset])
}

describe('leader epochs', () => {
  it('are stored as Kafka stores them, and loaded again', () => {
    const disk = new MemoryDisk()
    const made = new LeaderEpochs(disk, DIRECTORY, [])
    made.assign(1, 0)
    made.assign(4, 25)
    expect(readWhole(disk, `${DIRECTORY}/leader-epoch-checkpoint`).toString()).toBe(
      '0\n2\n1 0\n4 25\n',
    )
    expect(LeaderEpochs.load(disk, DIRECTORY)?.entries).toEqual(made.entries)
    expect(disk.list(DIRECTORY)).toEqual(['leader-epoch-checkpoint'])
  })

  it('count as unknown when the file is missing, empty, torn, or makes no sense', () => {
    const disk = new MemoryDisk()
    expect(LeaderEpochs.load(disk, DIRECTORY)).toBeNull()
    const path = `${DIRECTORY}/leader-epoch-checkpoint`
    const good = '0\n2\n1 0\n4 25\n'
    for (let length = 1; length < good.length; length += 1) {
      overwrite(disk, path, Buffer.from(good.slice(0, length)))
      expect(LeaderEpochs.load(disk, DIRECTORY)).toBeNull()
    }
    for (const text of [
      '1\n0\n',
      '0\n1\n4 x\n',
      '0\n2\n4 5\n4 6\n',
      '0\n2\n4 5\n5 5\n',
      '\0\0\0',
    ]) {
      overwrite(disk, path, Buffer.from(text))
      expect(LeaderEpochs.load(disk, DIRECTORY)).toBeNull()
    }
    overwrite(disk, path, Buffer.alloc(0))
    expect(LeaderEpochs.load(disk, DIRECTORY)).toBeNull()
  })

  it('are written only when something changes', () => {
    const made = epochs([3, 10])
    made.isDirty = false
    made.assign(3, 20)
    made.truncateFromEnd(11)
    made.truncateFromStart(10)
    made.truncateFromStart(5)
    expect(made.isDirty).toBe(false)
    made.truncateFromEnd(10)
    expect(made.isDirty).toBe(true)
    expect(made.latest).toBe(-1)
  })

  it('drop what a new one contradicts: epochs as new, and starts as late', () => {
    expect(pairs(epochs([1, 0], [2, 10], [4, 10]))).toEqual([
      [1, 0],
      [4, 10],
    ])
    expect(pairs(epochs([1, 0], [2, 10], [5, 20], [3, 15]))).toEqual([
      [1, 0],
      [2, 10],
      [3, 15],
    ])
  })

  it('keep the epoch that holds the new log start', () => {
    const made = epochs([1, 0], [2, 10], [5, 20])
    made.truncateFromStart(12)
    expect(pairs(made)).toEqual([
      [2, 12],
      [5, 20],
    ])
    made.truncateFromStart(20)
    expect(pairs(made)).toEqual([[5, 20]])
    made.truncateFromStart(90)
    expect(pairs(made)).toEqual([[5, 90]])
  })

  it('answer for the end of an epoch by the rules of KIP-101 and KIP-279', () => {
    const made = epochs([2, 5], [4, 10], [7, 30])
    const end = (epoch: number): readonly [number, number] => {
      const answer = made.endOffsetFor(epoch, 50)
      return [answer.epoch, answer.endOffset]
    }
    expect(end(7)).toEqual([7, 50])
    expect(end(4)).toEqual([4, 30])
    expect(end(5)).toEqual([4, 30])
    expect(end(2)).toEqual([2, 10])
    expect(end(1)).toEqual([1, 5])
    expect(end(8)).toEqual([-1, -1])
    expect(end(-1)).toEqual([-1, -1])
    expect(epochs().endOffsetFor(3, 50)).toEqual({ epoch: -1, endOffset: -1 })
  })

  it('tell the epoch of an offset', () => {
    const made = epochs([2, 5], [4, 10])
    expect([4, 5, 9, 10, 99].map((offset) => made.epochAt(offset))).toEqual([-1, 2, 2, 4, 4])
  })
})

describe('the epochs of a log', () => {
  it('begin with the epoch that is started, before its first record', () => {
    const log = openLog(new MemoryDisk())
    appendOk(log, batch({ count: 4 }), { leaderEpoch: 1 })
    log.startEpoch(3, 4)
    expect(log.latestEpoch).toBe(3)
    expect(log.endOffsetForEpoch(1)).toEqual({ epoch: 1, endOffset: 4 })
    expect(log.endOffsetForEpoch(2)).toEqual({ epoch: 1, endOffset: 4 })
    expect(log.endOffsetForEpoch(3)).toEqual({ epoch: 3, endOffset: 4 })
    expect([log.epochAt(3), log.epochAt(4)]).toEqual([1, 3])
    expect(() => log.startEpoch(5, 9)).toThrow(/the log ends at 4/)
  })

  it('end with the log when it is cut, also an epoch that wrote nothing', () => {
    const log = openLog(new MemoryDisk())
    for (const leaderEpoch of [1, 2, 3]) appendOk(log, batch({ count: 2 }), { leaderEpoch })
    log.startEpoch(6, 6)
    log.truncateTo(6)
    expect(log.latestEpoch).toBe(3)
    log.truncateTo(4)
    expect(log.latestEpoch).toBe(2)
    log.truncateTo(3)
    expect([log.logEndOffset, log.latestEpoch]).toEqual([2, 1])
    log.truncateFullyAndStartAt(0)
    expect(log.latestEpoch).toBe(-1)
  })
})
