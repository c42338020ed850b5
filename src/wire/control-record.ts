import type { DecodedRecord, RecordInput } from './batch-records.ts'
import { WireError } from '../base/errors.ts'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

/** What a record of a control batch says. Others exist in newer logs and must be ignored. */
export const ControlType = {
  ABORT: 0,
  COMMIT: 1,
  LEADER_CHANGE: 2,
  SNAPSHOT_HEADER: 3,
  SNAPSHOT_FOOTER: 4,
  KRAFT_VERSION: 5,
  KRAFT_VOTERS: 6,
} as const

export type ControlType = (typeof ControlType)[keyof typeof ControlType]

const KEY_VERSION = 0
const END_TXN_VERSION = 0

/** A record for a batch with `isControl`; its key is int16 version 0 and int16 type. */
export function controlRecord(type: ControlType, value: Buffer): RecordInput {
  const writer = new Writer(4)
  writer.int16(KEY_VERSION)
  writer.int16(type)
  return { key: writer.toBuffer(), value }
}

/** The marker that ends a transaction; its batch is transactional and carries the producer's id. */
export function endTxnMarkerRecord(isCommit: boolean, coordinatorEpoch: number): RecordInput {
  const writer = new Writer(6)
  writer.int16(END_TXN_VERSION)
  writer.int32(coordinatorEpoch)
  return controlRecord(isCommit ? ControlType.COMMIT : ControlType.ABORT, writer.toBuffer())
}

/** The type in a control record's key; compare with `ControlType`, it may be none of them. */
export function controlTypeOf(record: Pick<DecodedRecord, 'key'>): number {
  if (record.key === null) throw new WireError('a control record without a key')
  const reader = new Reader(record.key)
  reader.int16()
  return reader.int16()
}

/** The coordinator epoch in the value of an ABORT or COMMIT marker. */
export function endTxnCoordinatorEpoch(record: Pick<DecodedRecord, 'value'>): number {
  if (record.value === null) throw new WireError('an end transaction marker without a value')
  const reader = new Reader(record.value)
  reader.int16()
  return reader.int32()
}
