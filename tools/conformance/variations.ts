import { ZERO_UUID } from '../../src/base/uuid.ts'
import { isArray, isBytes, isInVersions } from '../../src/wire/field-default.ts'
import type { Field } from '../../src/wire/schema.ts'
import type { Body, BodyValue, Scene } from './case.ts'

/** What a value of this type should not be, or not usually. Waiting times get no large values: nobody wants to wait. */
const WRONG_NUMBERS: Readonly<Record<string, readonly number[]>> = {
  int8: [-1, 0, 2, 99, 127],
  int16: [-1, 0, 2, 32_767],
  uint16: [0, 65_535],
  int32: [-2, -1, 0, 5, 2_147_483_647],
  uint32: [0, 4_294_967_295],
  int64: [-2, -1, 0, 5, 9_007_199_254_740_991],
  float64: [-1, 0, 1.5],
}
const WRONG_TEXTS: readonly string[] = [
  '',
  'nothing-of-this-name',
  'not legal !',
  '.',
  'x'.repeat(250),
]
const WRONG_BYTES: readonly Buffer[] = [Buffer.alloc(0), Buffer.from('garbage')]
const WRONG_IDS: readonly string[] = [ZERO_UUID, 'conformanceunknownidxA']
/** By the part of a name: values above it are left out, since they only make both sides wait or build for long. */
const LIMITS: readonly (readonly [pattern: RegExp, limit: number])[] = [
  [/(timeout|wait|lifetime|period|renew)\w*$/i, 0],
  [/^minBytes$/, 0],
]

/** Wrong values in every field that this version has, one at a time, and elements that are there twice. */
export function variationsOf(scene: Scene, fields: readonly Field[], version: number): Scene[] {
  const varied: Scene[] = []
  const add = (path: string, shown: string, body: Body): void => {
    const { listener, topics, before } = scene
    varied.push({
      name: `${scene.name}, ${path} ${shown}`,
      body,
      ...(listener === undefined ? {} : { listener }),
      ...(topics === undefined ? {} : { topics }),
      ...(before === undefined ? {} : { before }),
    })
  }
  vary(scene.body, fields, version, '', add)
  return varied
}

/** The body without what this version cannot say. */
export function bodyOfVersion(body: Body, fields: readonly Field[], version: number): Body {
  const kept: Record<string, BodyValue> = {}
  for (const field of fields) {
    const value = body[field.name]
    if (value === undefined || !hasField(field, version)) continue
    kept[field.name] = valueOfVersion(value, field, version)
  }
  return kept
}

function valueOfVersion(value: BodyValue, field: Field, version: number): BodyValue {
  const { fields } = field
  if (value === null && !isInVersions(field.nullable, version)) return isArray(field) ? [] : ''
  if (fields === undefined || value === null) return value
  if (Array.isArray(value)) {
    return (value as readonly Body[]).map((element) => bodyOfVersion(element, fields, version))
  }
  return bodyOfVersion(value as Body, fields, version)
}

type Add = (path: string, shown: string, body: Body) => void

function vary(body: Body, fields: readonly Field[], version: number, at: string, add: Add): void {
  for (const field of fields) {
    const value = body[field.name]
    if (!hasField(field, version)) continue
    const path = `${at}${field.name}`
    for (const wrong of wrongValues(field, version, value)) {
      add(path, show(wrong), { ...body, [field.name]: wrong })
    }
    if (field.fields === undefined || value === undefined || value === null) continue
    const inner = field.fields
    if (Array.isArray(value)) {
      const [first, ...rest] = value as readonly Body[]
      if (first === undefined) continue
      vary(first, inner, version, `${path}[].`, (deeper, shown, changed) => {
        add(deeper, shown, { ...body, [field.name]: [changed, ...rest] })
      })
    } else {
      vary(value as Body, inner, version, `${path}.`, (deeper, shown, changed) => {
        add(deeper, shown, { ...body, [field.name]: changed })
      })
    }
  }
}

function wrongValues(field: Field, version: number, value: BodyValue | undefined): BodyValue[] {
  const wrong: BodyValue[] = []
  if (isInVersions(field.nullable, version) && value !== null) wrong.push(null)
  if (isArray(field)) {
    wrong.push([])
    const elements = (value ?? []) as readonly BodyValue[]
    if (elements.length > 0) wrong.push([...elements, ...elements])
    return wrong
  }
  if (field.fields !== undefined) return wrong
  if (isBytes(field)) return [...wrong, ...WRONG_BYTES]
  if (field.type === 'bool') return [...wrong, value !== true]
  if (field.type === 'uuid') return [...wrong, ...WRONG_IDS]
  if (field.type === 'string') return [...wrong, ...WRONG_TEXTS]
  const limit = LIMITS.find(([pattern]) => pattern.test(field.name))?.[1] ?? Infinity
  const numbers = WRONG_NUMBERS[field.type] ?? []
  return [...wrong, ...numbers.filter((number) => number <= limit && number !== value)]
}

function hasField(field: Field, version: number): boolean {
  return field.versions === undefined || isInVersions(field.versions, version)
}

function show(value: BodyValue): string {
  if (typeof value === 'string')
    return value.length > 30 ? `of ${value.length} letters` : `"${value}"`
  if (Buffer.isBuffer(value)) return `of ${value.length} bytes`
  if (!Array.isArray(value)) return JSON.stringify(value)
  return value.length === 0 ? 'empty' : 'twice'
}
