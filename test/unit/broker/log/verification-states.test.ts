// Goal: no batch begins a transaction that its coordinator does not know of (KIP-890), and a marker of protocol 2 ends
// the transaction of its epoch only.
import { describe, expect, it } from 'vitest'
import { MemoryDisk } from '../../../../src/real/memory-disk.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import type { AppendResult, PartitionLog } from '../../../../broker/log/partition-log.ts'
import type { VerificationGuard } from '../../../../broker/log/verification-states.ts'
import { batch, marker, NOW_MS, openLog } from '../../../support/log-world.ts'

const ID = 7

interface Sketch {
  readonly epoch?: number
  readonly sequence?: number
  readonly guard?: VerificationGuard | null
  readonly isTransactional?: boolean
}

function fresh(transactionVerificationEnabled = true): PartitionLog {
  return openLog(new MemoryDisk(), { config: { transactionVerificationEnabled } })
}

function begin(log: PartitionLog, sequence = 0, epoch = 0, supportsEpochBump = false) {
  const request = { producerId: ID, producerEpoch: epoch, sequence, supportsEpochBump }
  return log.beginVerification(request, NOW_MS)
}

function send(log: PartitionLog, sketch: Sketch = {}): AppendResult {
  const { epoch = 0, sequence = 0, guard = null, isTransactional = true } = sketch
  const records = batch({
    producerId: ID,
    producerEpoch: epoch,
    baseSequence: sequence,
    isTransactional,
  })
  return log.appendAsLeader(records, { leaderEpoch: 0, nowMs: NOW_MS, origin: 'client', guard })
}

function end(log: PartitionLog, epoch: number, transactionVersion: number, coordinatorEpoch = 0) {
  const records = marker({
    producerId: ID,
    producerEpoch: epoch,
    isCommit: false,
    coordinatorEpoch,
  })
  const options = { leaderEpoch: 0, nowMs: NOW_MS, transactionVersion }
  return log.appendAsLeader(records, { ...options, origin: 'coordinator' }).error
}

describe('the first batch of a transaction', () => {
  it('is refused without a guard, or with that of another verification', () => {
    const log = fresh()
    expect(send(log).error).toBe(ErrorCode.INVALID_TXN_STATE)
    begin(log)
    expect(send(log, { guard: { producerId: ID } }).error).toBe(ErrorCode.INVALID_TXN_STATE)
    expect(log.logEndOffset).toBe(0)
  })

  it('is taken with its guard; the next ones need none', () => {
    const log = fresh()
    expect(send(log, { guard: begin(log) }).error).toBe(ErrorCode.NONE)
    expect(begin(log, 1)).toBeNull()
    expect(send(log, { sequence: 1 }).error).toBe(ErrorCode.NONE)
  })

  it('shares the guard with batches that came while the coordinator was asked', () => {
    const log = fresh()
    expect(begin(log, 3)).toBe(begin(log, 0))
  })

  it('needs no guard when the broker does not verify, nor without a transaction', () => {
    expect(send(fresh(false)).error).toBe(ErrorCode.NONE)
    expect(send(fresh(), { isTransactional: false }).error).toBe(ErrorCode.NONE)
  })

  it('may not be of a later sequence than one that was seen', () => {
    const log = fresh()
    begin(log, 0)
    const guard = begin(log, 5)
    expect(send(log, { sequence: 5, guard }).error).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect(send(log, { sequence: 0, guard }).error).toBe(ErrorCode.NONE)
  })

  it('has sequence 0 in protocol 2 even when nothing is known of the producer', () => {
    const old = fresh()
    expect(send(old, { sequence: 4, guard: begin(old, 4) }).error).toBe(ErrorCode.NONE)
    const log = fresh()
    const guard = begin(log, 4, 0, true)
    expect(send(log, { sequence: 4, guard }).error).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
  })
})

describe('a guard', () => {
  it('is worth nothing after a marker, which may be of the very transaction that was asked about', () => {
    const log = fresh()
    const guard = begin(log)
    expect(end(log, 0, 0)).toBe(ErrorCode.NONE)
    expect(send(log, { guard }).error).toBe(ErrorCode.INVALID_TXN_STATE)
    expect(begin(log)).not.toBe(guard)
  })

  it('is needed again in the next transaction', () => {
    const log = fresh()
    send(log, { guard: begin(log) })
    end(log, 0, 0)
    expect(send(log, { sequence: 1 }).error).toBe(ErrorCode.INVALID_TXN_STATE)
    expect(send(log, { sequence: 1, guard: begin(log, 1) }).error).toBe(ErrorCode.NONE)
  })

  it('is forgotten with the producers that were silent for long', () => {
    const log = fresh()
    const guard = begin(log)
    log.deleteOldSegments(NOW_MS + log.config.producerIdExpirationMs)
    expect(send(log, { guard }).error).toBe(ErrorCode.INVALID_TXN_STATE)
  })
})

describe('an end marker', () => {
  it('of protocol 2 must be of a later epoch than the open transaction', () => {
    const log = fresh()
    send(log, { guard: begin(log) })
    expect(end(log, 0, 2)).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
    expect(end(log, 1, 2)).toBe(ErrorCode.NONE)
    expect(log.producerEntries()[0]).toMatchObject({ producerEpoch: 1, currentTxnFirstOffset: -1 })
  })

  it('of protocol 2 may come twice', () => {
    const log = fresh()
    send(log, { guard: begin(log) })
    expect(end(log, 1, 2)).toBe(ErrorCode.NONE)
    expect(end(log, 1, 2)).toBe(ErrorCode.NONE)
    expect(end(log, 0, 2)).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
  })

  it('of protocol 1 has the epoch of the transaction', () => {
    const log = fresh()
    send(log, { guard: begin(log) })
    expect(end(log, 0, 1)).toBe(ErrorCode.NONE)
  })

  it('of an older coordinator is refused', () => {
    const log = fresh()
    send(log, { guard: begin(log) })
    expect(end(log, 1, 2, 5)).toBe(ErrorCode.NONE)
    expect(end(log, 1, 2, 4)).toBe(ErrorCode.TRANSACTION_COORDINATOR_FENCED)
  })

  it('fences what is left of its transaction', () => {
    const log = fresh()
    send(log, { guard: begin(log) })
    end(log, 1, 2)
    const late = send(log, { sequence: 1, guard: begin(log, 1) })
    expect(late.error).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
  })
})
