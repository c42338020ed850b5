import { describe, expect, it } from 'vitest'
import { WireError } from '../../../../src/base/errors.ts'
import { ZERO_UUID } from '../../../../src/base/uuid.ts'
import { produceRequest, produceResponse } from '../../../../src/wire/messages/00-produce.ts'
import { fetchRequest } from '../../../../src/wire/messages/01-fetch.ts'
import { listOffsetsRequest } from '../../../../src/wire/messages/02-list-offsets.ts'
import { metadataApi, metadataRequest } from '../../../../src/wire/messages/03-metadata.ts'
import {
  apiVersionsApi,
  apiVersionsResponse,
} from '../../../../src/wire/messages/18-api-versions.ts'
import { consumerGroupHeartbeatResponse } from '../../../../src/wire/messages/68-consumer-group-heartbeat.ts'
import { consumerGroupMemberMetadataValue } from '../../../../src/wire/records/group-coordinator.ts'
import { Reader } from '../../../../src/wire/reader.ts'
import {
  correlationIdOf,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../../../src/wire/request.ts'
import {
  decodeFromBuffer,
  decodeMessage,
  defineMessage,
  encodeMessage,
  encodeToBuffer,
} from '../../../../src/wire/schema.ts'
import { Writer } from '../../../../src/wire/writer.ts'

describe('an encoder', () => {
  it('fills what is left out with defaults', () => {
    const bytes = encodeToBuffer(fetchRequest, 13, { topics: [{ partitions: [{ partition: 1 }] }] })
    const decoded = decodeFromBuffer(fetchRequest, 13, bytes)
    expect(decoded).toMatchObject({
      clusterId: null,
      replicaState: { replicaId: -1, replicaEpoch: -1 },
      maxBytes: 0x7fff_ffff,
      isolationLevel: 0,
      sessionEpoch: -1,
      rackId: '',
    })
    expect(decoded.topics[0]).toMatchObject({ topic: '', topicId: ZERO_UUID })
    expect(decoded.topics[0]!.partitions[0]).toMatchObject({ currentLeaderEpoch: -1 })
  })

  it('knows Long.MAX_VALUE as a default that is Infinity', () => {
    const bytes = encodeToBuffer(fetchRequest, 18, { topics: [{ partitions: [{}] }] })
    const decoded = decodeFromBuffer(fetchRequest, 18, bytes)
    expect(decoded.topics[0]!.partitions[0]!.highWatermark).toBe(Infinity)
  })

  it('refuses a version that the message does not have', () => {
    for (const version of [2, 14, -1, 3.5, NaN]) {
      expect(() => encodeToBuffer(produceRequest, version, {})).toThrow(WireError)
      expect(() => decodeFromBuffer(produceRequest, version, Buffer.alloc(9))).toThrow(WireError)
    }
  })

  it('refuses a value in a field that the version lacks, and names it', () => {
    expect(() => encodeToBuffer(listOffsetsRequest, 1, { isolationLevel: 1 })).toThrow(
      /ListOffsetsRequest v1: isolationLevel/,
    )
    expect(() => encodeToBuffer(listOffsetsRequest, 1, { isolationLevel: 0 })).not.toThrow()
  })

  it('leaves out a value of an ignorable field that the version lacks', () => {
    const bytes = encodeToBuffer(produceResponse, 3, {
      responses: [{ name: 't', partitionResponses: [{ errorMessage: 'no', logStartOffset: 5 }] }],
    })
    const [topic] = decodeFromBuffer(produceResponse, 3, bytes).responses
    expect(topic!.partitionResponses[0]).toMatchObject({ errorMessage: null, logStartOffset: -1 })
  })

  it('refuses null where the version does not allow it', () => {
    expect(() => encodeToBuffer(metadataRequest, 0, { topics: null })).toThrow(/topics/)
    expect(() => encodeToBuffer(metadataRequest, 1, { topics: null })).not.toThrow()
    const noTopics = encodeToBuffer(metadataRequest, 1, { topics: null })
    expect(() => decodeFromBuffer(metadataRequest, 0, noTopics)).toThrow(WireError)
  })

  it('names message and version when a value does not fit its type', () => {
    expect(() => encodeToBuffer(produceRequest, 9, { acks: 40_000 })).toThrow(
      /ProduceRequest v9: 40000 is not a value of int16/,
    )
  })

  it('marks a nullable struct with one byte', () => {
    const absent = encodeToBuffer(consumerGroupHeartbeatResponse, 0, {})
    const given = encodeToBuffer(consumerGroupHeartbeatResponse, 0, { assignment: {} })
    expect(absent.subarray(-2).toString('hex')).toBe('ff00')
    expect(given.subarray(-4).toString('hex')).toBe('01010000')
    expect(decodeFromBuffer(consumerGroupHeartbeatResponse, 0, given).assignment).toEqual({
      topicPartitions: [],
    })
  })
})

describe('tag sections', () => {
  const schema = defineMessage<{ a: number; b: string; c: number[] | null }>({
    name: 'Tagged',
    validVersions: [0, 1],
    flexibleFrom: 0,
    fields: [
      { name: 'a', type: 'int32', tagged: '0+', tag: 5, default: -1 },
      { name: 'b', type: 'string', tagged: '0+', tag: 2 },
      { name: 'c', type: '[]int8', tagged: '1+', tag: 0, nullable: '0+', default: null },
    ],
  })

  it('hold only what differs from its default, by ascending tag', () => {
    expect(encodeToBuffer(schema, 1, {}).toString('hex')).toBe('00')
    expect(encodeToBuffer(schema, 1, { a: -1, b: '', c: null }).toString('hex')).toBe('00')
    expect(encodeToBuffer(schema, 1, { a: 7, b: 'x', c: [] }).toString('hex')).toBe(
      '0300010102020278050400000007',
    )
  })

  it('hold a field only in the versions in which it is tagged', () => {
    expect(encodeToBuffer(schema, 0, { c: [3] }).toString('hex')).toBe('020300')
  })

  it('may have unknown tags, which are passed over', () => {
    const bytes = Buffer.from('0202020278ff0103aabbcc', 'hex')
    expect(decodeFromBuffer(schema, 1, bytes)).toEqual({ a: -1, b: 'x', c: null })
  })

  it('are refused when the size of a known tag is wrong', () => {
    const tooLong = Buffer.from('010203027800', 'hex')
    expect(() => decodeFromBuffer(schema, 1, tooLong)).toThrow(/tagged field b/)
  })

  it('mark a struct that may be null by a varint, and write null when it is not the default', () => {
    const noClassic = { classicMemberMetadata: null }
    const ofNull = encodeToBuffer(consumerGroupMemberMetadataValue, 0, noClassic)
    expect(ofNull.subarray(-5).toString('hex')).toBe('0101000100')
    expect(decodeFromBuffer(consumerGroupMemberMetadataValue, 0, ofNull)).toMatchObject(noClassic)
    const classic = { classicMemberMetadata: { sessionTimeoutMs: 5 } }
    const ofStruct = encodeToBuffer(consumerGroupMemberMetadataValue, 0, classic)
    expect(ofStruct.subarray(-10).toString('hex')).toBe('01000701000000050100')
    expect(decodeFromBuffer(consumerGroupMemberMetadataValue, 0, ofStruct)).toMatchObject(classic)
  })

  it('carry whole structs and keep big values whole', () => {
    const nodeEndpoints = Array.from({ length: 300 }, (_, nodeId) => ({
      nodeId,
      host: `host-${nodeId}.example.org`,
      port: 9092,
      rack: null,
    }))
    const bytes = encodeToBuffer(produceResponse, 10, { nodeEndpoints })
    expect(decodeFromBuffer(produceResponse, 10, bytes).nodeEndpoints).toEqual(nodeEndpoints)
  })
})

describe('a decoder', () => {
  it('gives fresh defaults every time', () => {
    const bytes = encodeToBuffer(produceResponse, 3, {})
    const first = decodeFromBuffer(produceResponse, 3, bytes)
    first.nodeEndpoints.push({ nodeId: 1, host: '', port: 1, rack: null })
    expect(decodeFromBuffer(produceResponse, 3, bytes).nodeEndpoints).toEqual([])
  })

  it('leaves what follows the body unread', () => {
    const writer = new Writer()
    encodeMessage(metadataRequest, 1, { topics: [] }, writer)
    writer.int8(9)
    const reader = new Reader(writer.toBuffer())
    decodeMessage(metadataRequest, 1, reader)
    expect(reader.remaining).toBe(1)
  })

  it('shares the memory of records with the frame', () => {
    const records = Buffer.from('record batches')
    const bytes = encodeToBuffer(produceRequest, 9, {
      topicData: [{ name: 't', partitionData: [{ index: 0, records }] }],
    })
    const decoded = decodeFromBuffer(produceRequest, 9, bytes)
    const read = decoded.topicData[0]!.partitionData[0]!.records!
    expect(read).toEqual(records)
    expect(read.buffer).toBe(bytes.buffer)
  })
})

describe('requests and responses', () => {
  it.each([8, 9, 12])('carry header, size and body (Metadata version %i)', (version) => {
    const request = Buffer.concat(encodeRequest(metadataApi, version, 99, null, { topics: [] }))
    expect(request.readInt32BE(0)).toBe(request.length - 4)
    const header = decodeRequestHeader(request.subarray(4))
    expect(header).toMatchObject({ apiKey: 3, apiVersion: version, clientId: null })
    expect(decodeMessage(metadataRequest, version, header.reader).topics).toEqual([])
    expect(header.reader.remaining).toBe(0)

    const response = Buffer.concat(encodeResponse(metadataApi, version, 99, { controllerId: 4 }))
    expect(response.readInt32BE(0)).toBe(response.length - 4)
    const frame = response.subarray(4)
    expect(correlationIdOf(frame)).toBe(99)
    const decoded = decodeResponse(metadataApi, version, frame)
    expect(decoded.correlationId).toBe(99)
    expect(decoded.body.controllerId).toBe(4)
  })

  it('give ApiVersions the first response header in every version', () => {
    const frame = Buffer.concat(encodeResponse(apiVersionsApi, 3, 7, {})).subarray(4)
    const body = encodeToBuffer(apiVersionsResponse, 3, {})
    expect(frame.subarray(4)).toEqual(body)
    expect(decodeResponse(apiVersionsApi, 3, frame).correlationId).toBe(7)
  })

  it('read the header of an ApiVersions version that is not known yet as flexible', () => {
    const frame = Buffer.from('001200630000000900026d6500', 'hex')
    const header = decodeRequestHeader(frame)
    expect(header).toMatchObject({ apiVersion: 99, correlationId: 9, clientId: 'me' })
    expect(header.reader.remaining).toBe(0)
  })

  it('read the header of an unknown api key without tags', () => {
    const header = decodeRequestHeader(Buffer.from('03e7000100000009ffff', 'hex'))
    expect(header).toMatchObject({ apiKey: 999, apiVersion: 1, clientId: null })
  })

  it('refuse a header that is cut short', () => {
    expect(() => decodeRequestHeader(Buffer.from('0012', 'hex'))).toThrow(WireError)
    expect(() => correlationIdOf(Buffer.alloc(3))).toThrow(WireError)
  })
})
