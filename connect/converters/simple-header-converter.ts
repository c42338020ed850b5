import { ConfigDef } from '../../src/base/config-def.ts'
import type { HeaderConverter, HeaderConverterPlugin } from '../api.ts'
import { calendarOf } from '../data/calendar.ts'
import { javaText } from '../data/java-text.ts'
import { Decimal, Instant } from '../data/logical.ts'
import { BYTES_SCHEMA, type Schema } from '../data/schema.ts'
import { Struct } from '../data/struct.ts'
import { isList, isMap, NULL_VALUE, type SchemaAndValue, type Value } from '../data/value.ts'
import { CONNECT_VERSION } from '../plugin-facts.ts'
import { parseHeaderText } from './header-text.ts'

const DAY_MS = 86_400_000
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** SimpleHeaderConverter of Apache Kafka, the workers' default: text whose type is guessed when it is read. */
export const simpleHeaderConverterPlugin: HeaderConverterPlugin = {
  kind: 'header-converter',
  className: 'org.apache.kafka.connect.storage.SimpleHeaderConverter',
  version: CONNECT_VERSION,
  config: new ConfigDef([]),
  create: () => new SimpleHeaderConverter(),
}

/** Writes values as text and reads them by `parseHeaderText`; bytes that are no text stay bytes. */
export class SimpleHeaderConverter implements HeaderConverter {
  fromConnectHeader(
    _topic: string,
    _key: string,
    schema: Schema | null,
    value: Value,
  ): Buffer | null {
    return value === null ? null : Buffer.from(textOf(value, schema, false))
  }

  toConnectHeader(_topic: string, _key: string, bytes: Buffer | null): SchemaAndValue {
    if (bytes === null) return NULL_VALUE
    let text: string
    try {
      text = utf8.decode(bytes)
    } catch {
      return { schema: BYTES_SCHEMA, value: bytes }
    }
    return parseHeaderText(text)
  }
}

/** Texts are quoted inside lists, maps and structs only. */
function textOf(value: Value, schema: Schema | null, isNested: boolean): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return isNested ? quoted(value) : value
  if (typeof value !== 'object') return javaText(value, schema)
  if (Buffer.isBuffer(value))
    return isNested ? quoted(value.toString('base64')) : value.toString('base64')
  if (value instanceof Instant) return dateText(value.epochMs)
  if (value instanceof Decimal) return value.toString()
  if (value instanceof Struct) {
    const entries = value.schema.fields.map(
      (field) => `${quoted(field.name)}:${textOf(value.get(field.name), field.schema, true)}`,
    )
    return `{${entries.join(',')}}`
  }
  if (isMap(value)) {
    const keySchema = schema?.type === 'MAP' ? schema.keySchema : null
    const valueSchema = schema?.type === 'MAP' ? schema.valueSchema : null
    const entries = [...value].map(
      ([key, item]) => `${textOf(key, keySchema, true)}:${textOf(item, valueSchema, true)}`,
    )
    return `{${entries.join(',')}}`
  }
  const itemSchema = schema?.type === 'ARRAY' ? schema.valueSchema : null
  return isList(value) ? `[${value.map((item) => textOf(item, itemSchema, true)).join(',')}]` : ''
}

function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, (sign) => `\\${sign}`)}"`
}

function dateText(epochMs: number): string {
  const texts = calendarOf(epochMs)
  if (epochMs < DAY_MS) return texts.time
  return epochMs % DAY_MS === 0 ? texts.date : texts.timestamp
}
