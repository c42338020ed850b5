import type { Input, MessageSchema } from './schema.ts'
import type { MetadataRecord, MetadataRecordType, MetadataRecordTypes } from './records/metadata.ts'
import { WireError } from '../base/errors.ts'
import { Reader } from './reader.ts'
import { metadataRecordSchemas } from './records/metadata.ts'
import { decodeFromBuffer, decodeMessage, encodeMessage, encodeToBuffer } from './schema.ts'
import { Writer } from './writer.ts'

/** The only layout of values in the metadata log: frame version, record type, record version, body. */
const FRAME_VERSION = 1

const typeByKey = new Map<number, MetadataRecordType>(
  (Object.keys(metadataRecordSchemas) as MetadataRecordType[]).map((type) => [
    metadataRecordSchemas[type].apiKey,
    type,
  ]),
)

/** A record with every field that `data` leaves out at its default; `version` is by default the newest. */
export function metadataRecord<Type extends MetadataRecordType>(
  type: Type,
  data: Input<MetadataRecordTypes[Type]>,
  version: number = metadataRecordSchemas[type].validVersions[1],
): MetadataRecord {
  const schema = schemaOf(type)
  const filled = decodeFromBuffer(schema, version, encodeToBuffer(schema, version, data))
  return recordOf(type, version, filled)
}

/** The value of a batch record in `__cluster_metadata`; its key is null. */
export function encodeMetadataRecord(record: MetadataRecord): Buffer {
  const schema = schemaOf(record.type)
  const writer = new Writer()
  writer.unsignedVarint(FRAME_VERSION)
  writer.unsignedVarint(schema.apiKey)
  writer.unsignedVarint(record.version)
  encodeMessage(schema, record.version, record.data, writer)
  return writer.toBuffer()
}

/** Throws `WireError` for an unknown frame, type or version and for bytes that are left over. */
export function decodeMetadataRecord(value: Buffer): MetadataRecord {
  const reader = new Reader(value)
  const frameVersion = reader.unsignedVarint()
  if (frameVersion !== FRAME_VERSION) {
    throw new WireError(`a metadata record of frame version ${frameVersion}`)
  }
  const apiKey = reader.unsignedVarint()
  const version = reader.unsignedVarint()
  const type = typeByKey.get(apiKey)
  if (type === undefined) throw new WireError(`a metadata record of the unknown type ${apiKey}`)
  const data = decodeMessage(schemaOf(type), version, reader)
  if (reader.remaining > 0) throw new WireError(`${reader.remaining} bytes after a ${type}`)
  return recordOf(type, version, data)
}

function schemaOf(type: MetadataRecordType): MessageSchema<unknown> {
  return metadataRecordSchemas[type]
}

/** The schema was chosen by `type`, so the data is of its object type. */
function recordOf(type: MetadataRecordType, version: number, data: unknown): MetadataRecord {
  return { type, version, data } as MetadataRecord
}
