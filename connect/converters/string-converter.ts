import { ConfigDef } from '../../src/base/config-def.ts'
import { ConfigError } from '../../src/base/errors.ts'
import type { Converter, ConverterPlugin, HeaderConverter, Properties } from '../api.ts'
import { javaText } from '../data/java-text.ts'
import { optionalSchema, type Schema } from '../data/schema.ts'
import type { SchemaAndValue, Value } from '../data/value.ts'
import { CONNECT_VERSION, setting } from '../plugin-facts.ts'

const SCHEMA = optionalSchema('STRING')
/** Java's charset names that Node has too. */
const ENCODINGS: ReadonlyMap<string, BufferEncoding> = new Map([
  ['UTF-8', 'utf8'],
  ['UTF8', 'utf8'],
  ['US-ASCII', 'latin1'],
  ['ASCII', 'latin1'],
  ['ISO-8859-1', 'latin1'],
  ['UTF-16LE', 'utf16le'],
])

/** StringConverter of Apache Kafka: any value as text. */
export const stringConverterPlugin: ConverterPlugin = {
  kind: 'converter',
  className: 'org.apache.kafka.connect.storage.StringConverter',
  version: CONNECT_VERSION,
  config: new ConfigDef([setting('converter.encoding', 'string', 'UTF-8', 'high')]),
  create: (properties: Properties) => {
    const name = stringConverterPlugin.config.parse(properties).string('converter.encoding')
    const encoding = ENCODINGS.get(name.toUpperCase())
    if (encoding === undefined) {
      const known = [...ENCODINGS.keys()].join(', ')
      throw new ConfigError(`converter.encoding is "${name}", expected one of ${known}`)
    }
    return new StringConverter(encoding)
  },
}

/** Writes the text of a value, reads optional strings. */
export class StringConverter implements Converter, HeaderConverter {
  readonly #encoding: BufferEncoding

  constructor(encoding: BufferEncoding) {
    this.#encoding = encoding
  }

  fromConnectData(_topic: string, schema: Schema | null, value: Value): Buffer | null {
    return value === null ? null : Buffer.from(javaText(value, schema), this.#encoding)
  }

  toConnectData(_topic: string, bytes: Buffer | null): SchemaAndValue {
    return { schema: SCHEMA, value: bytes === null ? null : bytes.toString(this.#encoding) }
  }

  fromConnectHeader(
    topic: string,
    _key: string,
    schema: Schema | null,
    value: Value,
  ): Buffer | null {
    return this.fromConnectData(topic, schema, value)
  }

  toConnectHeader(topic: string, _key: string, bytes: Buffer | null): SchemaAndValue {
    return this.toConnectData(topic, bytes)
  }
}
