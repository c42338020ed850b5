import { messageOf, WireError } from '../../base/errors.ts'
import type { DecodedRecord } from '../../wire/batch-records.ts'
import {
  coordinatorKeyType,
  decodeCoordinatorKey,
  decodeCoordinatorValue,
} from '../../wire/coordinator-record.ts'
import {
  consumerProtocolAssignment,
  consumerProtocolSubscription,
} from '../../wire/messages/data.ts'
import { decodeMetadataRecord } from '../../wire/metadata-record.ts'
import { Reader } from '../../wire/reader.ts'
import * as groupRecords from '../../wire/records/group-coordinator.ts'
import { metadataRecordSchemas } from '../../wire/records/metadata.ts'
import * as shareRecords from '../../wire/records/share-coordinator.ts'
import * as transactionRecords from '../../wire/records/transaction-coordinator.ts'
import { decodeMessage, type MessageSchema } from '../../wire/schema.ts'
import { ToolError } from '../tool-errors.ts'
import { coordinatorSchemas, type AnySchema } from './coordinator-schemas.ts'
import { messageJson, objectJson } from './message-json.ts'

/** What is shown of a record; null for a part that is not shown. */
export interface RecordText {
  readonly key: string | null
  readonly payload: string | null
}

export type RecordDecoder = (record: DecodedRecord) => RecordText

const DELETE = '<DELETE>'
const VERSION_BYTES = 2

/** Of `--key-decoder-class` and `--value-decoder-class`: how bytes become text. Null for a class that is not served. */
export function bytesDecoderOf(className: string): ((bytes: Buffer) => string) | null {
  switch (className) {
    case 'org.apache.kafka.tools.api.StringDecoder':
      return (bytes) => bytes.toString('utf8')
    case 'org.apache.kafka.tools.api.IntegerDecoder':
      return (bytes) => String(bytes.readInt32BE())
    case 'org.apache.kafka.tools.api.LongDecoder':
      return (bytes) => String(bytes.readBigInt64BE())
    default:
      return null
  }
}

export function plainDecoder(
  decodeKey: (bytes: Buffer) => string,
  decodeValue: (bytes: Buffer) => string,
): RecordDecoder {
  return ({ key, value }) => ({
    key: key === null ? null : decodeKey(key),
    payload: value === null ? null : decodeValue(value),
  })
}

/** Of `__consumer_offsets`; subscriptions and assignments of consumers are taken apart too. */
export function offsetsDecoder(): RecordDecoder {
  return coordinatorDecoder('offset topic decoder', groupRecords, (schema, version, message) =>
    schema.name === 'GroupMetadataValue'
      ? groupMetadataJson(schema, version, message)
      : messageJson(schema, version, message),
  )
}

/** Of `__transaction_state`. */
export function transactionDecoder(): RecordDecoder {
  return coordinatorDecoder('transaction log decoder', transactionRecords, messageJson)
}

/** Of `__share_group_state`. */
export function shareStateDecoder(): RecordDecoder {
  return coordinatorDecoder('share group state topic decoder', shareRecords, messageJson)
}

/** Of `__cluster_metadata`; its records have no keys. */
export function metadataDecoder(): RecordDecoder {
  return ({ offset, value }) => ({ key: null, payload: metadataText(offset, value) })
}

function metadataText(offset: number, value: Buffer | null): string {
  try {
    const { type, version, data } = decodeMetadataRecord(value ?? Buffer.alloc(0))
    const schema: AnySchema = metadataRecordSchemas[type]
    return objectJson({
      type: JSON.stringify(constantName(type)),
      version: String(version),
      data: messageJson(schema, version, data),
    })
  } catch (error) {
    return `Error at ${offset}, skipping. ${messageOf(error)}`
  }
}

/** `FEATURE_LEVEL_RECORD` of FeatureLevelRecord. */
function constantName(type: string): string {
  return type.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toUpperCase()
}

function coordinatorDecoder(
  what: string,
  module: object,
  valueJson: (schema: AnySchema, version: number, message: object) => string,
): RecordDecoder {
  const { keys, values } = coordinatorSchemas(module)
  return ({ offset, key, value }) => {
    if (key === null) {
      throw new ToolError(
        `Failed to decode message at offset ${offset} using ${what} (message had a missing key)`,
        'java.lang.RuntimeException',
      )
    }
    try {
      if (key.length < VERSION_BYTES)
        throw new WireError("Could not read version from key's buffer.")
      const type = coordinatorKeyType(key)
      const keySchema = keys.get(type)
      const valueSchema = values.get(type)
      if (keySchema === undefined || valueSchema === undefined) {
        const unknown = `Unknown record type ${type} at offset ${offset}, skipping.`
        return { key: unknown, payload: null }
      }
      const keyJson = messageJson(keySchema, 0, decodeCoordinatorKey(keySchema, key))
      const shownKey = objectJson({ type: JSON.stringify(String(type)), data: keyJson })
      if (value === null) return { key: shownKey, payload: DELETE }
      const version = new Reader(value).int16()
      const data = valueJson(valueSchema, version, decodeCoordinatorValue(valueSchema, value))
      return {
        key: shownKey,
        payload: objectJson({ version: JSON.stringify(String(version)), data }),
      }
    } catch (error) {
      return { key: `Error at offset ${offset}, skipping. ${messageOf(error)}`, payload: null }
    }
  }
}

interface GroupMetadata {
  readonly protocolType: string
  readonly members: readonly { readonly subscription: Buffer; readonly assignment: Buffer }[]
}

function groupMetadataJson(schema: AnySchema, version: number, message: object): string {
  const json = messageJson(schema, version, message)
  const { protocolType, members } = message as GroupMetadata
  if (protocolType !== 'consumer') return json
  // Each member's bytes stand in the text as base64, and nothing else of a member can be equal to a quoted one with
  // its name before it.
  let shown = json
  for (const { subscription, assignment } of members) {
    shown = replaceBytes(shown, 'subscription', subscription, consumerProtocolSubscription)
    shown = replaceBytes(shown, 'assignment', assignment, consumerProtocolAssignment)
  }
  return shown
}

/** Bytes that cannot be read stay as they are. */
function replaceBytes<T>(
  json: string,
  name: string,
  bytes: Buffer,
  schema: MessageSchema<T>,
): string {
  try {
    const reader = new Reader(bytes)
    const version = reader.int16()
    const [, newest] = schema.validVersions
    const known = Math.min(version, newest)
    const text = messageJson(schema, known, decodeMessage(schema, known, reader))
    const quoted = `"${name}":"${bytes.toString('base64')}"`
    return json.replace(quoted, () => `"${name}":${text}`)
  } catch {
    return json
  }
}
