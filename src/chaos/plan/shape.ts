import { ConfigError } from '../../base/errors.ts'
import { didYouMean } from '../../base/nearest-name.ts'

/** Throws `ConfigError`, one line with the path, unless `value` is what it should be. */
export type Shape = (value: unknown, path: string) => void

export function refuse(path: string, expected: string, value: unknown): never {
  throw new ConfigError(`${path}: expected ${expected}, not ${shown(value)}`)
}

export const text: Shape = (value, path) => {
  if (typeof value !== 'string' || value === '') refuse(path, 'a text', value)
}

export const anyText: Shape = (value, path) => {
  if (typeof value !== 'string') refuse(path, 'a text', value)
}

export const flag: Shape = (value, path) => {
  if (typeof value !== 'boolean') refuse(path, 'true or false', value)
}

/** A whole number. */
export function int(min: number, max: number = Number.MAX_SAFE_INTEGER): Shape {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`
  return (value, path) => {
    const isFine = Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max
    if (!isFine) refuse(path, `a whole number ${range}`, value)
  }
}

export function oneOf(values: readonly (string | number)[]): Shape {
  return (value, path) => {
    if (values.includes(value as string)) return
    const near = typeof value === 'string' ? didYouMean(value, values.map(String)) : ''
    throw new ConfigError(
      `${path}: expected one of ${values.join(', ')}, not ${shown(value)}${near}`,
    )
  }
}

export function list(each: Shape, minLength = 0): Shape {
  return (value, path) => {
    if (!Array.isArray(value)) refuse(path, 'a list', value)
    if (value.length < minLength) refuse(path, `a list of at least ${minLength}`, value)
    for (const [index, item] of value.entries()) each(item, `${path}[${index}]`)
  }
}

/** An object whose names are free. */
export function record(each: Shape): Shape {
  return (value, path) => {
    for (const [name, item] of Object.entries(objectAt(value, path))) each(item, `${path}.${name}`)
  }
}

/** An object of these fields and no others; those of `optional` may be left out. */
export function fields(
  required: Readonly<Record<string, Shape>>,
  optional: Readonly<Record<string, Shape>> = {},
): Shape {
  const known = [...Object.keys(required), ...Object.keys(optional)]
  return (value, path) => {
    const object = objectAt(value, path)
    for (const name of Object.keys(object)) {
      if (!known.includes(name)) {
        throw new ConfigError(`${path}: unknown field "${name}"${didYouMean(name, known)}`)
      }
    }
    for (const [name, shape] of Object.entries(required)) {
      if (!Object.hasOwn(object, name)) throw new ConfigError(`${path}: "${name}" is missing`)
      shape(object[name], `${path}.${name}`)
    }
    for (const [name, shape] of Object.entries(optional)) {
      if (Object.hasOwn(object, name)) shape(object[name], `${path}.${name}`)
    }
  }
}

/** An object whose `kind` says which fields it has. */
export function byKind(shapes: Readonly<Record<string, Shape>>): Shape {
  const kind = oneOf(Object.keys(shapes))
  return (value, path) => {
    const object = objectAt(value, path)
    kind(object['kind'], `${path}.kind`)
    shapes[String(object['kind'])]?.(value, path)
  }
}

function objectAt(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(path, 'an object', value)
  }
  return value as Readonly<Record<string, unknown>>
}

const SHOWN_CHARACTERS = 60

/** A value in at most so many characters of one line. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  const whole = JSON.stringify(value) ?? typeof value
  return whole.length <= SHOWN_CHARACTERS ? whole : `${whole.slice(0, SHOWN_CHARACTERS)}...`
}
