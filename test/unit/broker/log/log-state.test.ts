// Goal: what a log holds in memory can be compared with what its bytes say (P4, D9), and a difference shows.
// Method: logs with producers, transactions, epochs, segments and truncations; then memory or bytes are changed.
// The model test of the log compares both after every command of its random runs.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { liveStateOf, rebuiltStateOf } from '../../../../broker/log/log-state.ts'
import type { PartitionLog } from '../../../../broker/log/partition-log.ts'
import { ProducerState } from '../../../../broker/log/producer-state.ts'
import { MemoryDisk } from '../../../../src/real/memory-disk.ts'
import {
  appendMarker,
  appendOk,
  batch,
  marker,
  NOW_MS,
  openLog,
} from '../../../support/log-world.ts'

const CONFIG = { segmentBytes: 500, indexIntervalBytes: 100, cleanupPolicy: [] }

function produce(log: PartitionLog, sequence: number, leaderEpoch = 0): void {
  const sketch = { producerId: 7, producerEpoch: 0, baseSequence: sequence, valueBytes: 40 }
  appendOk(log, batch({ ...sketch, timestampMs: NOW_MS + sequence }), { leaderEpoch })
}

/** Two epochs, an idempotent producer, an aborted and an open transaction, several segments. */
function fullLog(): PartitionLog {
  const log = openLog(new MemoryDisk(), { config: CONFIG })
  for (let sequence = 0; sequence < 6; sequence += 1) produce(log, sequence)
  const transaction = { producerId: 8, producerEpoch: 0, isTransactional: true }
  appendOk(log, batch({ ...transaction, baseSequence: 0 }))
  appendMarker(log, marker({ producerId: 8, isCommit: false }))
  for (let sequence = 6; sequence < 12; sequence += 1) produce(log, sequence, 3)
  appendOk(log, batch({ ...transaction, baseSequence: 1 }), { leaderEpoch: 3 })
  return log
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('the state of a log in memory', () => {
  it('is what its bytes say', () => {
    const log = fullLog()
    expect(log.segmentBaseOffsets.length).toBeGreaterThan(2)
    const text = liveStateOf(log)
    expect(rebuiltStateOf(log)).toBe(text)
    expect(text).toContain('epoch 3 from 8\n')
    expect(text).toContain('aborted: 8 6 7 8\n')
    expect(text).toContain('producer 7 0 11 at 13 (0)')
    expect(text).toMatch(/offset index: byte \d+ begins \d+\n/)
    expect(text).toMatch(/time index: up to \d+ newest \d+\n/)
  })

  it('is that also after truncations, deletion of old segments and a new epoch without records', () => {
    const log = fullLog()
    log.truncateTo(11)
    expect(rebuiltStateOf(log)).toBe(liveStateOf(log))
    produce(log, 9, 4)
    log.startEpoch(5, log.logEndOffset)
    expect(rebuiltStateOf(log)).toBe(liveStateOf(log))
    log.updateHighWatermark(log.logEndOffset)
    expect(log.incrementLogStartOffset(9)).toBe(0)
    expect(log.deleteOldSegments(NOW_MS)).toBeGreaterThan(0)
    expect(rebuiltStateOf(log)).toBe(liveStateOf(log))
    log.truncateFullyAndStartAt(100)
    expect(rebuiltStateOf(log)).toBe(liveStateOf(log))
  })

  it('starts producers from the snapshot when older segments are gone', () => {
    const log = fullLog()
    log.updateHighWatermark(log.logEndOffset)
    log.updateConfig({ ...log.config, cleanupPolicy: ['delete'], retentionBytes: 600 })
    expect(log.deleteOldSegments(NOW_MS)).toBeGreaterThan(0)
    expect(log.logStartOffset).toBeGreaterThan(0)
    expect(rebuiltStateOf(log)).toBe(liveStateOf(log))
  })

  it('changes nothing by being looked at', () => {
    const log = fullLog()
    const before = liveStateOf(log)
    rebuiltStateOf(log)
    expect(liveStateOf(log)).toBe(before)
  })
})

describe('a difference between memory and bytes', () => {
  it('shows when producers are kept over a truncation', () => {
    const log = fullLog()
    vi.spyOn(ProducerState.prototype, 'restore').mockImplementation(() => undefined)
    log.truncateTo(10)
    vi.restoreAllMocks()
    expect(rebuiltStateOf(log)).not.toBe(liveStateOf(log))
  })

  it('shows in epochs', () => {
    const log = fullLog()
    log.inspect().epochs.truncateFromEnd(8)
    expect(rebuiltStateOf(log)).not.toBe(liveStateOf(log))
  })

  it('shows in the offset index', () => {
    const log = fullLog()
    const { segments } = log.inspect()
    const { offsetIndex } = segments.at(-1)!
    const last = offsetIndex.last() ?? { lastOffset: segments.at(-1)!.baseOffset, position: 0 }
    offsetIndex.append(last.lastOffset + 1, last.position + 5)
    expect(rebuiltStateOf(log)).not.toBe(liveStateOf(log))
  })

  it('shows in the time index', () => {
    const log = fullLog()
    log
      .inspect()
      .segments.at(-1)!
      .timeIndex.appendIfLater({
        timestampMs: NOW_MS + 1_000_000,
        offset: log.logEndOffset - 1,
      })
    expect(rebuiltStateOf(log)).not.toBe(liveStateOf(log))
  })

  it('shows in the bounds of a segment', () => {
    const log = fullLog()
    log.inspect().segments.at(-1)!.endOffset += 1
    expect(rebuiltStateOf(log)).not.toBe(liveStateOf(log))
  })

  it('shows when bytes are lost below a log that runs', () => {
    const log = fullLog()
    const { log: file } = log.inspect().segments.at(-1)!
    file.truncate(file.size() - 10)
    expect(rebuiltStateOf(log)).not.toBe(liveStateOf(log))
  })
})
