import type { Codec, Field } from './schema.ts'
import type { Reader } from './reader.ts'
import { assert } from '../base/assert.ts'
import { WireError } from '../base/errors.ts'
import {
  EMPTY_BYTES,
  isArray,
  isBytes,
  isDefault,
  isInVersions,
  scalarDefault,
} from './field-default.ts'

/** Wire size of the fixed-size primitives; the name is also the verb of reader and writer. */
const FIXED_BYTES: Readonly<Record<string, number>> = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  float64: 8,
  uuid: 16,
}

/**
 * Turns a table into the source of an encoder and a decoder for one version and compiles it: no
 * version or type is looked at any more when messages pass. The source is made of nothing but our
 * own tables, never of what came over the wire. Every struct becomes one pair of functions.
 */
export function compileCodec(
  fields: readonly Field[],
  version: number,
  isFlexible: boolean,
): Codec {
  const program = new Program(version, isFlexible)
  const root = program.struct(fields)
  const source = `'use strict'
${program.functions.join('\n')}
return { encode: encode${root}, decode: decode${root} }`
  // oxlint-disable-next-line typescript/no-implied-eval -- the source is made of our own tables only
  const make = new Function('runtime', 'fields', source) as (
    runtime: typeof RUNTIME,
    fields: readonly Field[],
  ) => Codec
  return make(RUNTIME, program.referenced)
}

const RUNTIME = {
  EMPTY_BYTES,
  isDefault,
  refuseNull(name: string): never {
    throw new WireError(`${name} must not be null`)
  },
  refuseAbsent(name: string): never {
    throw new WireError(`${name} has a value, but this version lacks the field`)
  },
  checkTagEnd(reader: Reader, end: number, name: string): void {
    if (reader.position !== end) throw new WireError(`the size of tagged field ${name} is wrong`)
  },
}

/**
 * The functions made so far for one version of one message. A struct that may be null follows a mark:
 * int8 -1 or 1 in a plain field, unsigned varint 0 or 1 in a tagged one, as Java's classes do it.
 */
class Program {
  readonly functions: string[] = []
  /** Fields whose default is compared by `isDefault`. */
  readonly referenced: Field[] = []
  private readonly numbers = new Map<readonly Field[], number>()
  private readonly version: number
  private readonly isFlexible: boolean

  constructor(version: number, isFlexible: boolean) {
    this.version = version
    this.isFlexible = isFlexible
  }

  /** The number in the names of the struct's functions, which are made when they do not exist. */
  struct(fields: readonly Field[]): number {
    const known = this.numbers.get(fields)
    if (known !== undefined) return known
    const number = this.numbers.size
    this.numbers.set(fields, number)
    this.functions.push(this.encoder(fields, number), this.decoder(fields, number))
    return number
  }

  private isPresent(field: Field): boolean {
    return field.versions === undefined || isInVersions(field.versions, this.version)
  }

  private isTagged(field: Field): boolean {
    return isInVersions(field.tagged, this.version)
  }

  private tagged(fields: readonly Field[]): Field[] {
    return fields
      .filter((field) => this.isPresent(field) && this.isTagged(field))
      .toSorted((a, b) => (a.tag ?? 0) - (b.tag ?? 0))
  }

  private plain(fields: readonly Field[]): Field[] {
    return fields.filter((field) => this.isPresent(field) && !this.isTagged(field))
  }

  private encoder(fields: readonly Field[], number: number): string {
    const lines: string[] = []
    for (const field of fields) {
      if (!this.isPresent(field) && field.ignorable !== true) {
        const test = this.notDefault(field, `value.${field.name}`)
        lines.push(`if (${test}) runtime.refuseAbsent('${field.name}')`)
      }
    }
    for (const field of this.plain(fields)) {
      const name = `${field.name}_`
      lines.push(`let ${name} = value.${field.name}`)
      lines.push(`if (${name} === undefined) ${name} = ${defaultSource(field)}`)
      lines.push(this.write(field, 'writer', name))
    }
    if (this.isFlexible) lines.push(...this.tagSectionWriter(this.tagged(fields)))
    return `function encode${number}(writer, value) {\n${lines.join('\n')}\n}`
  }

  private tagSectionWriter(fields: readonly Field[]): string[] {
    if (fields.length === 0) return ['writer.uint8(0)']
    const tests = fields.map(
      (field) => `const has_${field.name} = ${this.notDefault(field, `value.${field.name}`)}`,
    )
    const count = fields.map((field) => `(has_${field.name} ? 1 : 0)`).join(' + ')
    const writes = fields.map(
      (field) => `if (has_${field.name}) {
const inner_ = value.${field.name}
writer.unsignedVarint(${field.tag ?? 0})
const mark = writer.beginSized()
${this.write(field, 'writer', 'inner_')}
writer.endSized(mark)
}`,
    )
    return [...tests, `writer.unsignedVarint(${count})`, ...writes]
  }

  private notDefault(field: Field, value: string): string {
    const isList = isArray(field) || isBytes(field)
    if (!isList && field.fields === undefined) {
      return `${value} !== undefined && ${value} !== ${defaultSource(field)}`
    }
    if (field.default === null) return `${value} !== undefined && ${value} !== null`
    const isOther = isList ? `${value}.length !== 0` : this.isOtherStruct(field, value)
    return `${value} !== undefined && (${value} === null || ${isOther})`
  }

  private isOtherStruct(field: Field, value: string): string {
    const fields = field.fields ?? []
    if (fields.every(isScalar)) {
      return fields.map((inner) => this.notDefault(inner, `${value}.${inner.name}`)).join(' || ')
    }
    const index = this.referenced.push(field) - 1
    return `!runtime.isDefault(fields[${index}], ${value})`
  }

  private write(field: Field, writer: string, value: string): string {
    const isNullable = isInVersions(field.nullable, this.version)
    if (isArray(field)) return this.writeArray(field, isNullable, writer, value)
    if (field.fields !== undefined) {
      const call = `encode${this.struct(field.fields)}(${writer}, ${value})`
      if (!isNullable) return `${refuseNull(field, value)}\n${call}`
      const [mark, absent] = this.isTagged(field) ? ['unsignedVarint', 0] : ['int8', -1]
      return `if (${value} === null) ${writer}.${mark}(${absent})
else { ${writer}.${mark}(1); ${call} }`
    }
    if (field.type in FIXED_BYTES) return `${writer}.${verb(field.type)}(${value})`
    const call = `${writer}.${this.sizedVerb(field, isNullable)}(${value})`
    return isNullable ? call : `${refuseNull(field, value)}\n${call}`
  }

  private writeArray(field: Field, isNullable: boolean, writer: string, value: string): string {
    const length = this.isFlexible ? 'compactArrayLength' : 'arrayLength'
    const onNull = isNullable
      ? `if (${value} === null) ${writer}.${length}(-1)\nelse`
      : `${refuseNull(field, value)}\n`
    const element = this.write(elementOf(field), writer, 'element')
    return `${onNull} {
const length = ${value}.length
${writer}.${length}(length)
for (let index = 0; index < length; index += 1) {
const element = ${value}[index]
${element}
}
}`
  }

  private sizedVerb(field: Field, isNullable: boolean): string {
    const isCompact = this.isFlexible && field.neverFlexible !== true
    if (isBytes(field)) {
      if (isCompact) return isNullable ? 'compactNullableBytes' : 'compactBytes'
      return isNullable ? 'nullableBytes' : 'sizedBytes'
    }
    assert(field.type === 'string', `field ${field.name} has the unknown type ${field.type}`)
    if (isCompact) return isNullable ? 'compactNullableString' : 'compactString'
    return isNullable ? 'nullableString' : 'string'
  }

  private decoder(fields: readonly Field[], number: number): string {
    const plain = new Set(this.plain(fields))
    const lines: string[] = []
    for (const field of fields) {
      const isRead = plain.has(field)
      lines.push(isRead ? this.read(field, `let ${field.name}_`) : declareDefault(field))
    }
    if (this.isFlexible) lines.push(this.tagSectionReader(this.tagged(fields)))
    const members = fields.map((field) => `${field.name}: ${field.name}_`).join(', ')
    return `function decode${number}(reader) {\n${lines.join('\n')}\nreturn { ${members} }\n}`
  }

  private tagSectionReader(fields: readonly Field[]): string {
    if (fields.length === 0) return 'reader.skipTags()'
    const cases = fields.map(
      (field) => `case ${field.tag ?? 0}: {
${this.read(field, `${field.name}_`)}
runtime.checkTagEnd(reader, end, '${field.name}')
break
}`,
    )
    return `for (let left = reader.unsignedVarint(); left > 0; left -= 1) {
const tag = reader.unsignedVarint()
const size = reader.unsignedVarint()
const end = reader.position + size
switch (tag) {
${cases.join('\n')}
default: reader.advance(size)
}
}`
  }

  private read(field: Field, target: string): string {
    const isNullable = isInVersions(field.nullable, this.version)
    if (isArray(field)) return this.readArray(field, isNullable, target)
    return `${target} = ${this.readOne(field, isNullable)}`
  }

  private readOne(field: Field, isNullable: boolean): string {
    if (field.fields !== undefined) {
      const call = `decode${this.struct(field.fields)}(reader)`
      if (!isNullable) return call
      const isNull = this.isTagged(field) ? 'reader.unsignedVarint() === 0' : 'reader.int8() < 0'
      return `${isNull} ? null : ${call}`
    }
    if (field.type in FIXED_BYTES) return `reader.${verb(field.type)}()`
    return `reader.${this.sizedVerb(field, isNullable)}()`
  }

  private readArray(field: Field, isNullable: boolean, target: string): string {
    const length = this.isFlexible ? 'compactArrayLength' : 'arrayLength'
    const element = elementOf(field)
    const bytesMin = Math.max(1, this.bytesMin(element))
    const count = `count_${field.name}`
    const name = `${field.name}_`
    return `const ${count} = reader.${length}(${bytesMin})
${isNullable ? '' : `if (${count} < 0) runtime.refuseNull('${field.name}')`}
${target} = ${isNullable ? `${count} < 0 ? null : []` : '[]'}
for (let index = 0; index < ${count}; index += 1) ${name}.push(${this.readOne(element, false)})`
  }

  /** The fewest bytes that a value of the field can take; what bounds the count of an array. */
  private bytesMin(field: Field): number {
    const fixed = FIXED_BYTES[field.type]
    if (fixed !== undefined) return fixed
    if (isArray(field)) return this.isFlexible ? 1 : 4
    if (field.fields === undefined) {
      if (this.isFlexible && field.neverFlexible !== true) return 1
      return field.type === 'string' ? 2 : 4
    }
    if (isInVersions(field.nullable, this.version)) return 1
    const inner = this.plain(field.fields).map((each) => this.bytesMin(each))
    return inner.reduce((sum, bytes) => sum + bytes, this.isFlexible ? 1 : 0)
  }
}

/** The field of one element of an array; elements are never null. */
function elementOf(field: Field): Field {
  return { name: field.name, type: field.type.slice(2), fields: field.fields }
}

function isScalar(field: Field): boolean {
  return !isArray(field) && !isBytes(field) && field.fields === undefined
}

function verb(type: string): string {
  return type === 'bool' ? 'boolean' : type
}

function refuseNull(field: Field, value: string): string {
  return `if (${value} === null) runtime.refuseNull('${field.name}')`
}

function declareDefault(field: Field): string {
  return `let ${field.name}_ = ${defaultSource(field)}`
}

/** An expression that makes a fresh default value. */
function defaultSource(field: Field): string {
  if (field.default === null) return 'null'
  if (isArray(field)) return '[]'
  if (field.fields !== undefined) {
    const members = field.fields.map((inner) => `${inner.name}: ${defaultSource(inner)}`)
    return `{ ${members.join(', ')} }`
  }
  if (isBytes(field)) return 'runtime.EMPTY_BYTES'
  const value = scalarDefault(field)
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
