// Goal: the index files have Kafka's bytes, by its rule for when an entry is due.
import { describe, expect, it } from 'vitest'
import type { DiskFile } from '../../../../src/ports/disk.ts'
import { MemoryDisk } from '../../../../src/real/memory-disk.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import {
  appendOk,
  batch,
  DIRECTORY,
  filesOf,
  headersOf,
  NOW_MS,
  openLog,
  readAll,
} from '../../../support/log-world.ts'

const NAME = '00000000000000000000'

class CountingDisk extends MemoryDisk {
  writes = 0

  override open(path: string): DiskFile {
    const file = super.open(path)
    const append = file.append.bind(file)
    file.append = (chunks) => {
      this.writes += 1
      return append(chunks)
    }
    return file
  }
}

describe('the indexes of a segment', () => {
  it('get an entry for a batch when more than the interval was written since the last one', () => {
    const disk = new MemoryDisk()
    const log = openLog(disk, { config: { indexIntervalBytes: 200 } })
    const times = [5, 3, 9, 9, 2, 12, 1, 1, 40, 7]
    for (const time of times) {
      appendOk(log, batch({ count: 2, timestampMs: NOW_MS + time, valueBytes: 20 }))
    }
    log.close()
    const files = filesOf(disk)
    const headers = headersOf(files.get(`${NAME}.log`)!)
    const index = files.get(`${NAME}.index`)!
    const entries = Array.from({ length: index.length / 8 }, (_, slot) => [
      index.readInt32BE(slot * 8),
      index.readInt32BE(slot * 8 + 4),
    ])
    const expected: number[][] = []
    const expectedTimes: (readonly [number, number])[] = []
    let since = 0
    let largest: readonly [number, number] = [-1, 0]
    for (const header of headers) {
      const timestampMs = header.maxTimestamp
      if (timestampMs > largest[0]) largest = [timestampMs, header.lastOffset]
      if (since > 200) {
        expected.push([header.lastOffset, header.position])
        if (largest[0] > (expectedTimes.at(-1)?.[0] ?? -1)) expectedTimes.push(largest)
        since = 0
      }
      since += header.sizeBytes
    }
    if (largest[0] > (expectedTimes.at(-1)?.[0] ?? -1)) expectedTimes.push(largest)
    expect(entries).toEqual(expected)
    const timeIndex = files.get(`${NAME}.timeindex`)!
    expect(
      Array.from({ length: timeIndex.length / 12 }, (_, slot) => [
        Number(timeIndex.readBigInt64BE(slot * 12)),
        timeIndex.readInt32BE(slot * 12 + 8),
      ]),
    ).toEqual(expectedTimes)
    expect(expected.length).toBeGreaterThan(2)
    expect(expectedTimes.length).toBeGreaterThan(2)
  })

  it('are empty files when no entry was due and no record has a timestamp', () => {
    const disk = new MemoryDisk()
    const log = openLog(disk)
    appendOk(log, batch({ timestampMs: -1 }))
    log.close()
    const files = filesOf(disk)
    expect(files.get(`${NAME}.index`)?.length).toBe(0)
    expect(files.get(`${NAME}.timeindex`)?.length).toBe(0)
  })

  it('go on by the same rule after the log was opened again', () => {
    const config = { indexIntervalBytes: 200 }
    const once = new MemoryDisk()
    const twice = new MemoryDisk()
    const log = openLog(once, { config })
    let again = openLog(twice, { config })
    for (let index = 0; index < 20; index += 1) {
      const timestampMs = NOW_MS + index
      appendOk(log, batch({ timestampMs }))
      appendOk(again, batch({ timestampMs }))
      if (index % 3 === 0) again = openLog(twice, { config })
    }
    log.close()
    again.close()
    expect(filesOf(twice)).toEqual(filesOf(once))
  })

  it('are written in groups, so an append is one write to the log', () => {
    const counting = new CountingDisk()
    const log = openLog(counting, { config: { indexIntervalBytes: 0 } })
    appendOk(log, batch())
    counting.writes = 0
    for (let index = 0; index < 300; index += 1) {
      appendOk(log, batch({ timestampMs: NOW_MS + index + 1 }))
    }
    expect(counting.writes).toBe(300)
  })
})

describe('a cut', () => {
  it('at a batch that never reached the disk keeps all that lies before it', () => {
    const node = new SimWorld({ seed: 1 }).node('n')
    const log = openLog(node.ports.disk)
    appendOk(log, batch())
    appendOk(log, batch())
    // A reader stands at the end, so that the cut needs no search for its place.
    log.read({ offset: 1, maxBytes: 1_000, minOneBatch: true, endOffset: Infinity })
    node.disk.loseNextAppend()
    appendOk(log, batch({ count: 2 }))
    appendOk(log, batch())
    log.truncateTo(2)
    expect(log.logEndOffset).toBe(2)
    appendOk(log, batch({ text: 'new' }))
    expect(readAll(log).map(({ offset }) => offset)).toEqual([0, 1, 2])
  })
})

describe('a read', () => {
  it.each([
    ['upwards, beyond the end', 1, 6, 1],
    ['upwards, over the next batch', 1, 7, 2],
    ['downwards', 6, 7, 1],
  ])('finds a base offset that was damaged %s', (_name, victim, byte, bit) => {
    for (const from of [0, victim]) {
      const { disk, ports } = new SimWorld({ seed: 1 }).node('n')
      const log = openLog(ports.disk)
      const starts: number[] = []
      for (let index = 0; index < 8; index += 1) {
        starts.push(log.sizeBytes)
        appendOk(log, batch())
      }
      const request = { offset: 0, maxBytes: 10_000, minOneBatch: true, endOffset: Infinity }
      expect(headersOf(log.read(request).records).length).toBe(8)
      disk.flipBit(`${DIRECTORY}/${NAME}.log`, starts[victim]! + byte, bit)
      const { error, records } = log.read({ ...request, offset: from })
      expect({ error, bytes: records.length }).toEqual({
        error: ErrorCode.KAFKA_STORAGE_ERROR,
        bytes: 0,
      })
    }
  })
})
