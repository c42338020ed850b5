// Goal: a replica moves between log directories while it is used, and whenever the node ends meanwhile one good log is
// left. Method: a broker alone on a simulated disk; the node is ended after each change of the disk.
import { describe, expect, it } from 'vitest'
import { DirectoryId } from '../../../../broker/metadata/directory-id.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { metadataRecord } from '../../../../src/wire/metadata-record.ts'
import { A, B, TOPIC_ID, TwoDirectories } from '../../../support/two-directories.ts'

const SMALL_STEPS = { 'replica.fetch.max.bytes': '200' }

/** A replica of 20 records takes seconds. */
function limit(bench: TwoDirectories): void {
  const name = 'replica.alter.log.dirs.io.max.bytes.per.second'
  const config = { resourceType: 4, resourceName: '1', name, value: '1000' }
  bench.image.apply(metadataRecord('ConfigRecord', config))
}

function fill(bench: TwoDirectories, from: number, count: number): string[] {
  const values = Array.from({ length: count }, (_, index) => `v${from + index}`)
  for (const value of values) bench.append(value)
  return values
}

describe('a replica that is asked to be in another log directory', () => {
  it('is copied there while it is written to, then lies there, and the old log goes', () => {
    const bench = new TwoDirectories({ properties: SMALL_STEPS })
    const values = fill(bench, 0, 20)
    expect(bench.move('b')).toBe(ErrorCode.NONE)
    expect(bench.whereIs()).toBe('a/b')
    const [future] = bench.manager.futuresIn(bench.manager.directories.byPath('b')!)
    expect(future).toMatchObject({ lag: 20 })
    expect(bench.folders('b')).toEqual([expect.stringMatching(/^t-0\.[0-9a-f]{32}-future$/)])
    for (let round = 0; round < 5; round += 1) {
      bench.world.runFor(1)
      values.push(...fill(bench, values.length, 3))
    }
    bench.world.runFor(5000)
    expect(bench.whereIs()).toBe('b')
    expect(bench.folders('a')).toEqual([expect.stringMatching(/^t-0\.[0-9a-f]{32}-delete$/)])
    expect(bench.folders('b')).toEqual(['t-0'])
    bench.world.runFor(60_000)
    expect(bench.folders('a')).toEqual([])
    expect(bench.image.partition('t', 0)?.directories).toEqual([B])
    values.push(...fill(bench, values.length, 2))
    expect(bench.values()).toEqual(values)
    const { logEndOffset, highWatermark } = bench.manager.partition('t', 0)!.log
    expect([logEndOffset, highWatermark]).toEqual([values.length, values.length])
    bench.restart()
    expect([bench.whereIs(), bench.values()]).toEqual(['b', values])
    bench.move('a')
    bench.world.runFor(5000)
    expect([bench.whereIs(), bench.values()]).toEqual(['a', values])
    bench.restart()
    expect([bench.whereIs(), bench.values()]).toEqual(['a', values])
  })

  it('keeps where its log starts, and does without what was deleted meanwhile', () => {
    const bench = new TwoDirectories({ properties: SMALL_STEPS })
    const values = fill(bench, 0, 20)
    bench.move('b')
    bench.world.runFor(1)
    bench.manager.deleteRecords({
      timeoutMs: 1000,
      entries: [{ topic: 't', partition: 0, offset: 12 }],
      respond: () => undefined,
    })
    bench.world.runFor(5000)
    expect(bench.whereIs()).toBe('b')
    expect(bench.values()).toEqual(values.slice(12))
  })

  it('goes nowhere when that is taken back, and elsewhere when it is asked for', () => {
    const bench = new TwoDirectories({ properties: SMALL_STEPS })
    limit(bench)
    fill(bench, 0, 20)
    bench.move('b')
    bench.world.runFor(1)
    expect(bench.move('a')).toBe(ErrorCode.NONE)
    expect([bench.whereIs(), bench.folders('b')]).toEqual(['a', []])
    bench.world.runFor(5000)
    expect(bench.whereIs()).toBe('a')
  })

  it('moves no faster than it may', () => {
    const bench = new TwoDirectories({ properties: SMALL_STEPS })
    limit(bench)
    fill(bench, 0, 40)
    const bytes = bench.manager.partition('t', 0)!.log.sizeBytes
    bench.move('b')
    bench.world.runFor(bytes - 500)
    expect(bench.whereIs()).toBe('a/b')
    bench.world.runFor(2000)
    expect(bench.whereIs()).toBe('b')
  })

  it('gets the errors of Kafka', () => {
    const bench = new TwoDirectories()
    const { manager } = bench
    expect(bench.move('c')).toBe(ErrorCode.LOG_DIR_NOT_FOUND)
    expect(bench.move('b', 7)).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect(manager.alterLogDirectory('t'.repeat(230), 0, 'b')).toBe(
      ErrorCode.INVALID_TOPIC_EXCEPTION,
    )
    expect(bench.move('a')).toBe(ErrorCode.NONE)
    expect(bench.whereIs()).toBe('a')
    const elsewhere = { replicas: [2], isr: [2], leader: 2, leaderEpoch: 0, partitionEpoch: 0 }
    const record = { topicId: TOPIC_ID, partitionId: 1, ...elsewhere }
    bench.image.apply(metadataRecord('PartitionRecord', record, 2))
    expect(bench.move('b', 1)).toBe(ErrorCode.REPLICA_NOT_AVAILABLE)
    bench.node.disk.failFolder('b')
    bench.offline.add('b')
    bench.restart()
    expect(bench.move('b')).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    expect(bench.whereIs()).toBe('a')
  })

  it('stays where it is when the other directory fails, and moves again when it is mended', () => {
    const bench = new TwoDirectories({ properties: SMALL_STEPS })
    limit(bench)
    const values = fill(bench, 0, 20)
    bench.move('b')
    bench.world.runFor(1)
    bench.node.disk.failFolder('b')
    bench.world.runFor(1000)
    expect([bench.failed, bench.whereIs(), bench.values()]).toEqual([['b'], 'a', values])
    bench.node.disk.mendFolder('b')
    bench.restart()
    bench.world.runFor(5000)
    expect([bench.whereIs(), bench.values()]).toEqual(['b', values])
  })

  it('is offline with a directory that fails, and back when that is', () => {
    const bench = new TwoDirectories()
    const values = fill(bench, 0, 3)
    bench.move('b')
    bench.world.runFor(5000)
    bench.offline.add('b')
    bench.restart()
    expect(bench.whereIs()).toBeNull()
    expect(bench.move('a')).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    bench.offline.delete('b')
    bench.restart()
    expect([bench.whereIs(), bench.values()]).toEqual(['b', values])
  })

  it('waits for the metadata to know where it is', () => {
    const bench = new TwoDirectories()
    fill(bench, 0, 3)
    const change = { topicId: TOPIC_ID, partitionId: 0, directories: [DirectoryId.UNASSIGNED] }
    bench.image.apply(metadataRecord('PartitionChangeRecord', change, 2))
    bench.move('b')
    bench.world.runFor(2000)
    expect(bench.whereIs()).toBe('a/b')
    bench.image.apply(metadataRecord('PartitionChangeRecord', { ...change, directories: [A] }, 2))
    bench.world.runFor(2000)
    expect(bench.whereIs()).toBe('b')
  })
})

/** False when the move was over before its `stopAt`-th change of the disk. */
function stopInMove(stopAt: number, isPowerCut: boolean): boolean {
  const bench = new TwoDirectories({ seed: stopAt + 1, properties: SMALL_STEPS })
  const values = fill(bench, 0, 12)
  bench.flush()
  const { disk } = bench.node
  bench.move('b')
  disk.crashAfterOperation(disk.operationsRun + stopAt, () =>
    bench.node.crash({ losesUnsynced: isPowerCut }),
  )
  for (let round = 0; round < 200 && bench.node.isUp; round += 1) {
    try {
      if (round % 4 === 0 && round < 60) {
        bench.append(`v${values.length}`)
        values.push(`v${values.length}`)
      }
      bench.world.runFor(5)
    } catch (error) {
      if (bench.node.isUp) throw error
    }
  }
  if (bench.node.isUp) return false
  bench.restart()
  // Nothing is lost when only the process ends; of a power cut all that was flushed stays.
  const kept = bench.values()
  expect(kept).toEqual(values.slice(0, kept.length))
  expect(kept.length).toBeGreaterThanOrEqual(isPowerCut ? 12 : values.length - 1)
  expect(bench.whereIs()).not.toBeNull()
  // The move goes on, and ends.
  const { length } = kept
  bench.append(`v${length}`)
  bench.world.runFor(10_000)
  // The power cut may have taken the names of the copy, and with them what was asked for.
  const where = bench.whereIs()
  expect(isPowerCut ? ['a', 'b'] : ['b']).toContain(where)
  expect(bench.values()).toHaveLength(length + 1)
  bench.restart()
  expect(bench.values()).toHaveLength(length + 1)
  const folders = [bench.folders('a'), bench.folders('b')]
  expect(folders).toEqual(where === 'b' ? [[], ['t-0']] : [['t-0'], []])
  return true
}

describe.each([false, true])('an end in the middle of a move, as a power cut: %s', (isPowerCut) => {
  it('leaves one good log, whenever it comes', () => {
    let stopAt = 1
    while (stopInMove(stopAt, isPowerCut)) stopAt += 1
    expect(stopAt).toBeGreaterThan(30)
  })
})
