import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WireError } from '../../../../src/base/errors.ts'
import { ZERO_UUID } from '../../../../src/base/uuid.ts'
import { compress } from '../../../../src/wire/compression/index.ts'
import {
  coordinatorKeyType,
  decodeCoordinatorKey,
  decodeCoordinatorValue,
  encodeCoordinatorKey,
  encodeCoordinatorValue,
} from '../../../../src/wire/coordinator-record.ts'
import {
  ErrorCode,
  errorMessage,
  errorName,
  isRetriable,
} from '../../../../src/wire/error-codes.ts'
import { coordinatorPartition, javaHash } from '../../../../src/wire/java-hash.ts'
import { readLegacyMessageSet } from '../../../../src/wire/legacy-message-set.ts'
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  metadataRecord,
} from '../../../../src/wire/metadata-record.ts'
import {
  groupMetadataKey,
  offsetCommitKey,
  offsetCommitValue,
} from '../../../../src/wire/records/group-coordinator.ts'
import { metadataRecordSchemas } from '../../../../src/wire/records/metadata.ts'
import {
  arbitraryMessage,
  valueOrWireError,
  versionsOf,
} from '../../../support/wire-arbitraries.ts'

describe('a metadata record', () => {
  it('is filled with defaults and has the newest version', () => {
    const record = metadataRecord('PartitionRecord', { partitionId: 3, replicas: [1, 2] })
    expect(record).toMatchObject({
      type: 'PartitionRecord',
      version: 2,
      data: { partitionId: 3, topicId: ZERO_UUID, replicas: [1, 2], leader: -1 },
    })
  })

  it('comes back as it was, whatever its type and version', () => {
    for (const schema of Object.values(metadataRecordSchemas)) {
      for (const version of versionsOf(schema)) {
        const property = fc.property(arbitraryMessage(schema, version), (data) => {
          const record = metadataRecord(schema.name as 'TopicRecord', data, version)
          expect(record).toEqual({ type: schema.name, version, data })
          expect(decodeMetadataRecord(encodeMetadataRecord(record))).toEqual(record)
        })
        fc.assert(property, { numRuns: 5 })
      }
    }
  })

  it('begins with frame version, type and version', () => {
    const record = metadataRecord('TopicRecord', { name: 'foo', topicId: ZERO_UUID })
    const expected = `01020004${Buffer.from('foo').toString('hex')}${'00'.repeat(16)}00`
    expect(encodeMetadataRecord(record).toString('hex')).toBe(expected)
  })

  it.each([
    ['another frame version', '020200'],
    ['an unknown type', '016300'],
    ['an unknown version', '010209'],
    ['nothing', ''],
    ['left-over bytes', `01020004666f6f${'00'.repeat(18)}`],
  ])('is refused with %s', (_, hex) => {
    expect(() => decodeMetadataRecord(Buffer.from(hex, 'hex'))).toThrow(WireError)
  })
})

describe('a coordinator record', () => {
  it('is refused when its key is of another type or its version unknown', () => {
    const key = encodeCoordinatorKey(groupMetadataKey, { group: 'g' })
    expect(coordinatorKeyType(key)).toBe(2)
    expect(() => decodeCoordinatorKey(offsetCommitKey, key)).toThrow(WireError)
    expect(() => decodeCoordinatorValue(offsetCommitValue, Buffer.from('0009', 'hex'))).toThrow(
      WireError,
    )
    expect(() => coordinatorKeyType(Buffer.alloc(1))).toThrow(WireError)
  })

  it('of an offset commit is read in all its versions', () => {
    for (const version of [0, 1, 2, 3, 4]) {
      const value = encodeCoordinatorValue(offsetCommitValue, version, { offset: 5, metadata: 'm' })
      expect(value.readInt16BE(0)).toBe(version)
      expect(decodeCoordinatorValue(offsetCommitValue, value)).toMatchObject({ offset: 5 })
    }
  })
})

/** One message of the old format; a timestamp makes it magic 1. */
function legacyMessage(
  offset: number,
  value: Buffer,
  options: { timestampMs?: number; attributes?: number } = {},
): Buffer {
  const isMagic1 = options.timestampMs !== undefined
  const body = Buffer.alloc((isMagic1 ? 10 : 2) + 8 + value.length)
  body[0] = isMagic1 ? 1 : 0
  body[1] = options.attributes ?? 0
  if (isMagic1) body.writeBigInt64BE(BigInt(options.timestampMs!), 2)
  body.writeInt32BE(-1, isMagic1 ? 10 : 2)
  body.writeInt32BE(value.length, isMagic1 ? 14 : 6)
  value.copy(body, isMagic1 ? 18 : 10)
  const head = Buffer.alloc(16)
  head.writeBigInt64BE(BigInt(offset))
  head.writeInt32BE(body.length + 4, 8)
  head.writeUInt32BE(crc32(body), 12)
  return Buffer.concat([head, body])
}

describe('a message set of an old broker', () => {
  const [a, b] = [Buffer.from('a'), Buffer.from('b')]

  it('is read without timestamps in magic 0', () => {
    const set = Buffer.concat([legacyMessage(5, a), legacyMessage(6, b)])
    expect(readLegacyMessageSet(set).map((each) => [each.offset, each.timestampMs])).toEqual([
      [5, -1],
      [6, -1],
    ])
  })

  it.each([1, 2, 3] as const)('is opened when its codec is %i, with relative offsets', (codec) => {
    const inner = Buffer.concat([
      legacyMessage(0, a, { timestampMs: 10 }),
      legacyMessage(1, b, { timestampMs: 11 }),
    ])
    const value = compress(codec, inner)
    const wrapper = legacyMessage(101, value, { timestampMs: 11, attributes: codec })
    const records = readLegacyMessageSet(wrapper)
    expect(records.map((each) => [each.offset, each.timestampMs])).toEqual([
      [100, 10],
      [101, 11],
    ])
    const appended = legacyMessage(101, value, { timestampMs: 99, attributes: codec | 8 })
    expect(readLegacyMessageSet(appended).map((each) => each.timestampMs)).toEqual([99, 99])
    const nested = legacyMessage(3, compress(codec, wrapper), { timestampMs: 1, attributes: codec })
    expect(() => readLegacyMessageSet(nested)).toThrow(WireError)
  })

  it('leaves out a cut message and refuses a wrong CRC', () => {
    const set = Buffer.concat([legacyMessage(5, a), legacyMessage(6, b)])
    expect(readLegacyMessageSet(set.subarray(0, set.length - 1))).toHaveLength(1)
    set[set.length - 1]! ^= 1
    expect(() => readLegacyMessageSet(set)).toThrow(/CRC/)
  })

  it('gives records or a WireError for any bytes', () => {
    const property = fc.property(fc.uint8Array({ maxLength: 80 }), (array) => {
      valueOrWireError(() => readLegacyMessageSet(Buffer.from(array)))
    })
    fc.assert(property)
  })
})

describe('error codes', () => {
  it('have a name, a text and say whether to try again', () => {
    expect(ErrorCode.NOT_LEADER_OR_FOLLOWER).toBe(6)
    expect(errorName(6)).toBe('NOT_LEADER_OR_FOLLOWER')
    expect(errorName(-1)).toBe('UNKNOWN_SERVER_ERROR')
    expect(isRetriable(ErrorCode.NOT_LEADER_OR_FOLLOWER)).toBe(true)
    expect(isRetriable(ErrorCode.TOPIC_ALREADY_EXISTS)).toBe(false)
    expect(isRetriable(ErrorCode.NONE)).toBe(false)
    expect(errorMessage(ErrorCode.TOPIC_ALREADY_EXISTS)).toMatch(/already exists/)
    expect(Object.keys(ErrorCode)).toHaveLength(138)
  })

  it('beyond the table are named by their number', () => {
    expect(errorName(999)).toBe('UNKNOWN(999)')
    expect(isRetriable(999)).toBe(false)
    expect(errorMessage(999)).toContain('999')
  })
})

describe("Java's string hash", () => {
  it('has the absolute value of the smallest integer at partition 0', () => {
    expect(javaHash('polygenelubricants')).toBe(-0x8000_0000)
    expect(coordinatorPartition('polygenelubricants', 50)).toBe(0)
    expect(javaHash('')).toBe(0)
  })
})
