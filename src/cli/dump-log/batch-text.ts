import { isBatchCrcValid, type BatchHeader } from '../../wire/batch-header.ts'
import type { DecodedRecord } from '../../wire/batch-records.ts'
import { ControlType, controlTypeOf, endTxnCoordinatorEpoch } from '../../wire/control-record.ts'
import {
  kRaftVersionRecord,
  leaderChangeMessage,
  snapshotFooterRecord,
  snapshotHeaderRecord,
  votersRecord,
} from '../../wire/messages/data.ts'
import { Reader } from '../../wire/reader.ts'
import { decodeFromBuffer, type MessageSchema } from '../../wire/schema.ts'
import type { FileBatch } from './log-file.ts'
import { messageJson } from './message-json.ts'

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const DELETE_HORIZON_BIT = 1 << 6
const SEQUENCES = 0x8000_0000

export function timestampTypeOf({ timestampType }: BatchHeader): string {
  return timestampType === 0 ? 'CreateTime' : 'LogAppendTime'
}

/** The line of a batch. */
export function batchText({ header, position, bytes }: FileBatch): string {
  const hasHorizon = (header.attributes & DELETE_HORIZON_BIT) !== 0
  const horizon = hasHorizon ? `OptionalLong[${header.baseTimestamp}]` : 'OptionalLong.empty'
  return [
    `baseOffset: ${header.baseOffset} lastOffset: ${header.lastOffset} count: ${header.recordCount}`,
    `baseSequence: ${header.baseSequence} lastSequence: ${header.lastSequence}`,
    `producerId: ${header.producerId} producerEpoch: ${header.producerEpoch}`,
    `partitionLeaderEpoch: ${header.partitionLeaderEpoch} isTransactional: ${header.isTransactional}`,
    `isControl: ${header.isControl} deleteHorizonMs: ${horizon} position: ${position}`,
    `${timestampTypeOf(header)}: ${header.maxTimestamp} size: ${header.sizeBytes} magic: ${header.magic}`,
    `compresscodec: ${CODECS[header.codec] ?? header.codec} crc: ${header.crc}`,
    `isvalid: ${isBatchCrcValid(bytes, 0)}`,
  ].join(' ')
}

/** What is said of a record besides its content. */
export function recordText(header: BatchHeader, record: DecodedRecord): string {
  const { key, value, headers } = record
  const delta = record.offset - header.baseOffset
  const sequence = header.baseSequence < 0 ? -1 : (header.baseSequence + delta) % SEQUENCES
  const text =
    `offset: ${record.offset} ${timestampTypeOf(header)}: ${record.timestampMs} keySize: ${key?.length ?? -1} ` +
    `valueSize: ${value?.length ?? -1} sequence: ${sequence} headerKeys: [${headers.map((each) => each.key).join(',')}]`
  return header.isControl ? `${text} ${controlText(record)}` : text
}

function controlText(record: DecodedRecord): string {
  const type = controlTypeOf(record)
  const json = <T>(schema: MessageSchema<T>): string => {
    const value = record.value ?? Buffer.alloc(0)
    // The version of these messages is also their first field.
    const version = Math.min(new Reader(value).int16(), schema.validVersions[1])
    return messageJson(schema, version, decodeFromBuffer(schema, version, value))
  }
  switch (type) {
    case ControlType.ABORT:
      return `endTxnMarker: ABORT coordinatorEpoch: ${endTxnCoordinatorEpoch(record)}`
    case ControlType.COMMIT:
      return `endTxnMarker: COMMIT coordinatorEpoch: ${endTxnCoordinatorEpoch(record)}`
    case ControlType.LEADER_CHANGE:
      return `LeaderChange: ${json(leaderChangeMessage)}`
    case ControlType.SNAPSHOT_HEADER:
      return `SnapshotHeader ${json(snapshotHeaderRecord)}`
    case ControlType.SNAPSHOT_FOOTER:
      return `SnapshotFooter ${json(snapshotFooterRecord)}`
    case ControlType.KRAFT_VERSION:
      return `KRaftVersion ${json(kRaftVersionRecord)}`
    case ControlType.KRAFT_VOTERS:
      return `KRaftVoters ${json(votersRecord)}`
    default:
      return `controlType: UNKNOWN(${type})`
  }
}
