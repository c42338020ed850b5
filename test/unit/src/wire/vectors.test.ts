import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { uuidFromBytes, uuidToBytes } from '../../../../src/base/uuid.ts'
import {
  controlRecord,
  ControlType,
  controlTypeOf,
  endTxnCoordinatorEpoch,
  endTxnMarkerRecord,
} from '../../../../src/wire/control-record.ts'
import {
  coordinatorKeyType,
  decodeCoordinatorKey,
  decodeCoordinatorValue,
  encodeCoordinatorKey,
  encodeCoordinatorValue,
} from '../../../../src/wire/coordinator-record.ts'
import { coordinatorPartition } from '../../../../src/wire/java-hash.ts'
import { readLegacyMessageSet } from '../../../../src/wire/legacy-message-set.ts'
import { metadataRequest } from '../../../../src/wire/messages/03-metadata.ts'
import {
  apiVersionsApi,
  apiVersionsResponse,
} from '../../../../src/wire/messages/18-api-versions.ts'
import {
  consumerProtocolAssignment,
  consumerProtocolSubscription,
  leaderChangeMessage,
} from '../../../../src/wire/messages/data.ts'
import { murmur2, partitionOfKey } from '../../../../src/wire/murmur2.ts'
import { Reader } from '../../../../src/wire/reader.ts'
import {
  isBatchCrcValid,
  readBatchHeader,
  readRecords,
  writeBatch,
} from '../../../../src/wire/record-batch.ts'
import {
  offsetCommitKey,
  offsetCommitValue,
} from '../../../../src/wire/records/group-coordinator.ts'
import { decodeRequestHeader, encodeRequest } from '../../../../src/wire/request.ts'
import { decodeFromBuffer, decodeMessage, encodeToBuffer } from '../../../../src/wire/schema.ts'
import { Writer } from '../../../../src/wire/writer.ts'

interface Vector {
  readonly name: string
  readonly hex?: string
  readonly value?: number
  readonly mod10?: number
  readonly text?: string
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../vectors/vectors.json', import.meta.url), 'utf8'),
) as readonly Vector[]
const used = new Set<string>()

function vectorsOf(prefix: string): readonly Vector[] {
  const found = vectors.filter((vector) => vector.name.startsWith(prefix))
  for (const vector of found) used.add(vector.name)
  return found
}

function bytesOf(name: string): Buffer {
  used.add(name)
  return Buffer.from(vectors.find((vector) => vector.name === name)!.hex!, 'hex')
}

function written(write: (writer: Writer) => void): string {
  const writer = new Writer()
  write(writer)
  return writer.toBuffer().toString('hex')
}

const BASE_TIMESTAMP = 1_700_000_000_000
const RECORDS = [
  {
    key: Buffer.from('k1'),
    value: Buffer.from('value-1'),
    timestampMs: BASE_TIMESTAMP,
    headers: [
      { key: 'h', value: Buffer.from('x') },
      { key: 'n', value: null },
    ],
  },
  { key: null, value: Buffer.from('value-2'), timestampMs: BASE_TIMESTAMP + 5, headers: [] },
  { key: Buffer.from('k3'), value: null, timestampMs: BASE_TIMESTAMP + 3, headers: [] },
]

describe('varints of Java', () => {
  it.each(vectorsOf('varint_'))('reads and writes $name', ({ name, hex }) => {
    const value = Number(name.slice('varint_'.length))
    expect(new Reader(Buffer.from(hex!, 'hex')).varint()).toBe(value)
    expect(written((writer) => writer.varint(value))).toBe(hex)
    expect(written((writer) => writer.varlong(value))).toBe(hex)
  })

  it.each(vectorsOf('varlong_'))('reads and writes $name as an infinity', ({ name, hex }) => {
    const value = name.includes('-') ? -Infinity : Infinity
    expect(new Reader(Buffer.from(hex!, 'hex')).varlong()).toBe(value)
    expect(written((writer) => writer.varlong(value))).toBe(hex)
  })

  it.each(vectorsOf('uvarint_'))('reads and writes $name', ({ name, hex }) => {
    const value = Number(name.slice('uvarint_'.length)) >>> 0
    expect(new Reader(Buffer.from(hex!, 'hex')).unsignedVarint()).toBe(value)
    expect(written((writer) => writer.unsignedVarint(value))).toBe(hex)
  })
})

describe('record batches of Java', () => {
  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])('reads the batch of codec %s', (codec) => {
    const batch = bytesOf(`batch_v2_${codec}`)
    expect(isBatchCrcValid(batch, 0)).toBe(true)
    expect(readBatchHeader(batch, 0)).toMatchObject({
      baseOffset: 42,
      sizeBytes: batch.length,
      partitionLeaderEpoch: 7,
      lastOffset: 44,
      baseTimestamp: BASE_TIMESTAMP,
      maxTimestamp: BASE_TIMESTAMP + 5,
      producerId: -1,
      lastSequence: -1,
      recordCount: 3,
      codec: ['none', 'gzip', 'snappy', 'lz4', 'zstd'].indexOf(codec),
    })
    const expected = RECORDS.map((record, index) => ({ ...record, offset: 42 + index }))
    expect(readRecords(batch, 0)).toEqual(expected)
  })

  it('writes the uncompressed batch byte for byte', () => {
    const batch = writeBatch({
      records: RECORDS,
      timestampMs: BASE_TIMESTAMP,
      baseOffset: 42,
      partitionLeaderEpoch: 7,
    })
    expect(batch.toString('hex')).toBe(bytesOf('batch_v2_none').toString('hex'))
  })

  it.each([
    ['batch_v2_idempotent', false],
    ['batch_v2_txn', true],
  ])('writes %s byte for byte', (name, isTransactional) => {
    const batch = writeBatch({
      records: RECORDS,
      timestampMs: BASE_TIMESTAMP,
      partitionLeaderEpoch: 7,
      producerId: 1000,
      producerEpoch: 3,
      baseSequence: 17,
      isTransactional,
    })
    expect(batch.toString('hex')).toBe(bytesOf(name).toString('hex'))
    expect(readBatchHeader(batch, 0)).toMatchObject({ lastSequence: 19, isTransactional })
  })
})

describe('control batches of Java', () => {
  it.each([
    ['control_commit', true],
    ['control_abort', false],
  ])('reads and writes %s', (name, isCommit) => {
    const bytes = bytesOf(name)
    const header = readBatchHeader(bytes, 0)
    expect(header).toMatchObject({ isControl: true, isTransactional: true, baseSequence: -1 })
    const [record] = readRecords(bytes, 0)
    expect(controlTypeOf(record!)).toBe(isCommit ? ControlType.COMMIT : ControlType.ABORT)
    expect(endTxnCoordinatorEpoch(record!)).toBe(9)
    const batch = writeBatch({
      records: [endTxnMarkerRecord(isCommit, 9)],
      timestampMs: BASE_TIMESTAMP,
      baseOffset: 50,
      partitionLeaderEpoch: 7,
      producerId: 1000,
      producerEpoch: 3,
      isTransactional: true,
      isControl: true,
    })
    expect(batch.toString('hex')).toBe(bytes.toString('hex'))
  })

  it('reads and writes a leader change', () => {
    const bytes = bytesOf('control_leader_change')
    const [record] = readRecords(bytes, 0)
    expect(controlTypeOf(record!)).toBe(ControlType.LEADER_CHANGE)
    const message = decodeFromBuffer(leaderChangeMessage, 0, record!.value!)
    expect(message).toMatchObject({ version: 0, leaderId: 1 })
    expect(message.voters.map((voter) => voter.voterId)).toEqual([1, 2])
    const value = encodeToBuffer(leaderChangeMessage, 0, message)
    const batch = writeBatch({
      records: [controlRecord(ControlType.LEADER_CHANGE, value)],
      timestampMs: BASE_TIMESTAMP,
      partitionLeaderEpoch: 1,
      isControl: true,
    })
    expect(batch.toString('hex')).toBe(bytes.toString('hex'))
  })
})

describe('messages of Java', () => {
  it('reads a message set of magic 1', () => {
    expect(readLegacyMessageSet(bytesOf('legacy_v1'))).toEqual([
      {
        offset: 42,
        timestampMs: BASE_TIMESTAMP,
        key: Buffer.from('k1'),
        value: Buffer.from('value-1'),
        headers: [],
      },
    ])
  })

  it.each([0, 2, 3, 4])('reads and writes an ApiVersions request of version %i', (version) => {
    const bytes = bytesOf(`apiversions_req_v${version}`)
    const header = decodeRequestHeader(bytes)
    expect(header).toMatchObject({
      apiKey: 18,
      apiVersion: version,
      correlationId: 7,
      clientId: 'client-1',
    })
    const body = decodeMessage(apiVersionsApi.request, version, header.reader)
    expect(header.reader.remaining).toBe(0)
    const again = Buffer.concat(encodeRequest(apiVersionsApi, version, 7, 'client-1', body))
    expect(again.subarray(4).toString('hex')).toBe(bytes.toString('hex'))
  })

  it.each([
    ['apiversions_resp_v0_unsupported', 0, 35],
    ['apiversions_resp_v3', 3, 0],
  ])('reads and writes %s', (name, version, errorCode) => {
    const bytes = bytesOf(name)
    const body = decodeFromBuffer(apiVersionsResponse, version, bytes)
    expect(body).toMatchObject({
      errorCode,
      apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }],
    })
    expect(encodeToBuffer(apiVersionsResponse, version, body)).toEqual(bytes)
  })

  it.each([
    ['metadata_req_body_v12_all', 12],
    ['metadata_req_body_v1_all', 1],
  ])('reads and writes %s', (name, version) => {
    const bytes = bytesOf(name)
    const body = decodeFromBuffer(metadataRequest, version, bytes)
    expect(body.topics).toBeNull()
    expect(encodeToBuffer(metadataRequest, version, body)).toEqual(bytes)
  })

  it('reads and writes the version-prefixed consumer protocol', () => {
    const subscription = bytesOf('consumer_protocol_subscription_v1')
    expect(subscription.readInt16BE(0)).toBe(1)
    const subscribed = decodeFromBuffer(consumerProtocolSubscription, 1, subscription, 2)
    expect(subscribed).toMatchObject({ topics: ['t1'], userData: null, ownedPartitions: [] })
    const again = encodeToBuffer(consumerProtocolSubscription, 1, subscribed)
    expect(again).toEqual(subscription.subarray(2))

    const assignment = bytesOf('consumer_protocol_assignment_v1')
    const assigned = decodeFromBuffer(consumerProtocolAssignment, 1, assignment, 2)
    expect(assigned.assignedPartitions).toEqual([{ topic: 't1', partitions: [0, 1] }])
    expect(encodeToBuffer(consumerProtocolAssignment, 1, assigned)).toEqual(assignment.subarray(2))
  })
})

describe('coordinator records of Java', () => {
  it('reads and writes an offset commit', () => {
    const key = bytesOf('offset_commit_key')
    expect(coordinatorKeyType(key)).toBe(1)
    const decodedKey = decodeCoordinatorKey(offsetCommitKey, key)
    expect(decodedKey).toEqual({ group: 'g1', topic: 't1', partition: 3 })
    expect(encodeCoordinatorKey(offsetCommitKey, decodedKey)).toEqual(key)

    const value = bytesOf('offset_commit_value_v3')
    const decoded = decodeCoordinatorValue(offsetCommitValue, value)
    expect(decoded).toMatchObject({ offset: 100, leaderEpoch: 5, metadata: 'm' })
    expect(encodeCoordinatorValue(offsetCommitValue, 3, decoded)).toEqual(value)
  })
})

describe('hashes of Java', () => {
  it.each(vectorsOf('group_partition_'))('places $name', ({ name, value }) => {
    expect(coordinatorPartition(name.slice('group_partition_'.length), 50)).toBe(value)
  })

  it.each(vectorsOf('murmur2_'))('computes $name', ({ name, value, mod10 }) => {
    const key = Buffer.from(name.slice('murmur2_'.length))
    expect(murmur2(key)).toBe(value)
    expect(partitionOfKey(key, 10)).toBe(mod10)
  })

  it('writes uuids as url-safe base64', () => {
    const [vector] = vectorsOf('uuid')
    const bytes = Buffer.from(Array.from({ length: 16 }, (_, index) => index))
    expect(uuidFromBytes(bytes)).toBe(vector!.text)
    expect(uuidToBytes(vector!.text!)).toEqual(bytes)
    expect(new Reader(bytes).uuid()).toBe(vector!.text)
    expect(written((writer) => writer.uuid(vector!.text!))).toBe(bytes.toString('hex'))
  })
})

it('no vector is left unused', () => {
  expect(vectors.filter((vector) => !used.has(vector.name))).toEqual([])
})
