// Goal: a kill between any two steps of a roll, a truncation, a restart or a retention leaves a log
// that opens with everything that it should have (fault B9). Method: a disk that stops working at
// its k-th change, for every k; then the files are opened as they are.
import { describe, expect, it } from 'vitest'
import { DiskError } from '../../../../src/base/errors.ts'
import type { Disk, DiskFile } from '../../../../src/ports/disk.ts'
import { MemoryDisk } from '../../../../src/real/memory-disk.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import type { PartitionLog } from '../../../../broker/log/partition-log.ts'
import { append, batch, NOW_MS, openLog, readAll } from '../../../support/log-world.ts'

const SIZE = batch({ valueBytes: 40 }).length
const CONFIG = { segmentBytes: 3 * SIZE, indexIntervalBytes: SIZE, retentionMs: -1 }

/** Passes on so many changes; every later one fails, as if the process were gone. */
class FailingDisk implements Disk {
  changesLeft = Infinity
  readonly #inner: Disk

  constructor(inner: Disk) {
    this.#inner = inner
  }

  open(path: string): DiskFile {
    if (!this.#inner.exists(path)) this.change()
    return new FailingFile(this, this.#inner.open(path))
  }

  exists(path: string): boolean {
    return this.#inner.exists(path)
  }

  list(directory: string): readonly string[] {
    return this.#inner.list(directory)
  }

  makeDirectory(path: string): void {
    this.#inner.makeDirectory(path)
  }

  rename(from: string, to: string): void {
    this.change()
    this.#inner.rename(from, to)
  }

  remove(path: string): void {
    if (this.#inner.exists(path)) this.change()
    this.#inner.remove(path)
  }

  syncDirectory(directory: string, done: Parameters<Disk['syncDirectory']>[1]): void {
    this.#inner.syncDirectory(directory, done)
  }

  space(): null {
    return null
  }

  change(): void {
    if (this.changesLeft <= 0) throw new DiskError('EIO', 'the process is gone')
    this.changesLeft -= 1
  }
}

class FailingFile implements DiskFile {
  readonly path: string
  readonly #disk: FailingDisk
  readonly #inner: DiskFile

  constructor(disk: FailingDisk, inner: DiskFile) {
    this.path = inner.path
    this.#disk = disk
    this.#inner = inner
  }

  size(): number {
    return this.#inner.size()
  }

  append(chunks: readonly Uint8Array[]): number {
    this.#disk.change()
    return this.#inner.append(chunks)
  }

  read(position: number, length: number): Buffer {
    return this.#inner.read(position, length)
  }

  truncate(size: number): void {
    this.#disk.change()
    this.#inner.truncate(size)
  }

  fsync(done: Parameters<DiskFile['fsync']>[0]): void {
    this.#inner.fsync(done)
  }

  close(): void {
    this.#inner.close()
  }
}

function values(log: PartitionLog): readonly (string | undefined)[] {
  return readAll(log).map((record) => record.value?.toString().replace(/\.+$/, ''))
}

/** A log of ten records in segments of three, an epoch to every two records. */
function filled(disk: Disk): PartitionLog {
  const log = openLog(disk, { config: CONFIG })
  for (let index = 0; index < 10; index += 1) addRecord(log, index)
  log.updateHighWatermark(10)
  return log
}

function addRecord(log: PartitionLog, index: number): ErrorCode {
  const producer = { producerId: 1 + (index % 2), producerEpoch: 0, baseSequence: index >> 1 }
  const records = batch({ text: `${index}-`, valueBytes: 40, ...producer })
  return append(log, records, { leaderEpoch: index >> 1 }).error
}

/** Runs `deed` with a kill at each of its changes and shows what each leaves. */
function killAtEach(
  deed: (log: PartitionLog) => void,
  check: (opened: PartitionLog, log: PartitionLog) => void,
): number {
  for (let changes = 0; ; changes += 1) {
    const inner = new MemoryDisk()
    const disk = new FailingDisk(inner)
    const log = filled(disk)
    disk.changesLeft = changes
    try {
      deed(log)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
    }
    const isWhole = disk.changesLeft > 0
    const opened = openLog(inner, { config: CONFIG })
    check(opened, log)
    const next = opened.logEndOffset
    const result = append(opened, batch({ text: 'after' }), { leaderEpoch: 99 })
    expect(result).toMatchObject({ error: ErrorCode.NONE, baseOffset: next })
    if (isWhole) return changes
  }
}

const all = Array.from({ length: 10 }, (_, index) => `${index}-0`)

describe('a kill in the middle of', () => {
  it('appends and rolls loses nothing that was answered, and repeats nothing', () => {
    let answered = 0
    const kills = killAtEach(
      (log) => {
        answered = 10
        while (answered < 15 && addRecord(log, answered) === ErrorCode.NONE) answered += 1
      },
      (opened) => {
        const found = values(opened)
        expect(found.length).toBeGreaterThanOrEqual(answered)
        expect(found).toEqual(Array.from({ length: found.length }, (_, index) => `${index}-0`))
        expect(opened.producerEntries().length).toBe(2)
      },
    )
    expect(kills).toBeGreaterThan(10)
  })

  it('a truncation leaves the log as it was, cut, or cut at a border of segments', () => {
    for (const offset of [9, 7, 6, 4, 3, 1, 0]) {
      killAtEach(
        (log) => log.truncateTo(offset),
        (opened) => {
          const found = values(opened)
          expect(found.length).toBeGreaterThanOrEqual(offset)
          expect(found).toEqual(all.slice(0, found.length))
          expect(opened.latestEpoch).toBe(found.length === 0 ? -1 : (found.length - 1) >> 1)
        },
      )
    }
  })

  it('a restart leaves a part of the old log or the new start', () => {
    killAtEach(
      (log) => log.truncateFullyAndStartAt(50),
      (opened) => {
        const found = values(opened)
        expect(found).toEqual(all.slice(0, found.length))
        expect([50, found.length]).toContain(opened.logEndOffset)
      },
    )
  })

  it('retention leaves a log without a gap that ends where it ended', () => {
    killAtEach(
      (log) => {
        log.updateConfig({ ...log.config, retentionBytes: 2 * SIZE })
        log.deleteOldSegments(NOW_MS)
      },
      (opened) => {
        expect([0, 3, 6]).toContain(opened.logStartOffset)
        expect(values(opened)).toEqual(all.slice(opened.logStartOffset))
        expect(opened.epochAt(opened.logStartOffset)).toBe(opened.logStartOffset >> 1)
      },
    )
  })

  it('a clean stop leaves everything', () => {
    killAtEach(
      (log) => log.close(),
      (opened) => expect(values(opened)).toEqual(all),
    )
  })
})

describe('a truncation that fails half-way', () => {
  it('takes the log offline until it is opened again', () => {
    const inner = new MemoryDisk()
    const disk = new FailingDisk(inner)
    const log = filled(disk)
    disk.changesLeft = 2
    expect(() => log.truncateTo(4)).toThrow(DiskError)
    disk.changesLeft = Infinity
    expect(log.hasFailed).toBe(true)
    expect(addRecord(log, 10)).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    expect(values(openLog(inner, { config: CONFIG }))).toEqual(
      all.slice(0, openLog(inner, { config: CONFIG }).logEndOffset),
    )
  })
})
