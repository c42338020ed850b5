import {
  coordinatorKeyType,
  decodeCoordinatorKey,
  decodeCoordinatorValue,
} from '../../wire/coordinator-record.ts'
import { Reader } from '../../wire/reader.ts'
import * as groupRecords from '../../wire/records/group-coordinator.ts'
import * as shareRecords from '../../wire/records/share-coordinator.ts'
import * as transactionRecords from '../../wire/records/transaction-coordinator.ts'
import { messageJson, objectJson } from './message-json.ts'
import { coordinatorSchemas, type CoordinatorSchemas } from './coordinator-schemas.ts'

/** Keys and values of a record of a coordinator's topic. */
export interface CoordinatorBytes {
  readonly key: Buffer | null
  readonly value: Buffer | null
}

const TOOLS = 'org.apache.kafka.tools.consumer.'
const NEW_OFFSETS = 1
const GROUP_METADATA = 2

/** By class: the records of which module it shows, and which types of them; null for all. */
const FORMATTERS: Readonly<Record<string, readonly [object, readonly number[] | null]>> = {
  [`${TOOLS}OffsetsMessageFormatter`]: [groupRecords, [0, NEW_OFFSETS]],
  [`${TOOLS}GroupMetadataMessageFormatter`]: [groupRecords, [GROUP_METADATA]],
  [`${TOOLS}TransactionLogMessageFormatter`]: [transactionRecords, null],
  [`${TOOLS}group.share.ShareGroupStateMessageFormatter`]: [shareRecords, null],
}

/** The JSON that one of Kafka's formatters for coordinators' topics prints, '' for other records; null for other classes. */
export function coordinatorFormatter(
  className: string,
): ((record: CoordinatorBytes) => string) | null {
  const found = FORMATTERS[className]
  if (found === undefined) return null
  const [module, types] = found
  const schemas = coordinatorSchemas(module)
  return (record) => formatted(schemas, types, record)
}

function formatted(
  { keys, values }: CoordinatorSchemas,
  types: readonly number[] | null,
  { key, value }: CoordinatorBytes,
): string {
  if (key === null) return ''
  const type = coordinatorKeyType(key)
  const keySchema = keys.get(type)
  const valueSchema = values.get(type)
  if (keySchema === undefined || valueSchema === undefined) return ''
  if (types !== null && !types.includes(type)) return ''
  const keyJson = objectJson({
    type: String(type),
    data: messageJson(keySchema, 0, decodeCoordinatorKey(keySchema, key)),
  })
  return objectJson({ key: keyJson, value: valueText() })

  function valueText(): string {
    if (value === null || valueSchema === undefined) return 'null'
    const version = new Reader(value).int16()
    const isKnown = version >= 0 && version <= valueSchema.validVersions[1]
    const data = isKnown
      ? messageJson(valueSchema, version, decodeCoordinatorValue(valueSchema, value))
      : '"unknown"'
    return objectJson({ version: String(version), data })
  }
}
