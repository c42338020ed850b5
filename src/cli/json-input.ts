import type { TopicPartition } from '../base/topic-partition.ts'
import { ToolError } from './tool-errors.ts'

const INT_MAX = 0x7fff_ffff
const MAPPING = 'com.fasterxml.jackson.databind.JsonMappingException'

/** Parsed JSON of a file that a person wrote. Wrong shapes are `ToolError`s with the words of Kafka's tools. */
export class JsonInput {
  readonly #value: unknown

  constructor(value: unknown) {
    this.#value = value
  }

  /** A member of an object; null when there is none. */
  get(name: string): JsonInput | null {
    const fields = this.#fields()
    return Object.hasOwn(fields, name) ? new JsonInput(fields[name]) : null
  }

  /** A member that must be there. */
  field(name: string): JsonInput {
    const found = this.get(name)
    if (found === null) throw new ToolError(`No such field exists: \`${name}\``, MAPPING)
    return found
  }

  array(): readonly JsonInput[] {
    if (!Array.isArray(this.#value)) throw this.#unexpected('JSON array')
    return this.#value.map((item) => new JsonInput(item))
  }

  string(): string {
    if (typeof this.#value !== 'string') throw this.#unexpected('`String` value')
    return this.#value
  }

  int(): number {
    const value = this.#value
    const isInt = typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= INT_MAX
    if (!isInt) throw this.#unexpected('`Integer` value')
    return value
  }

  long(): number {
    const value = this.#value
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      throw this.#unexpected('`Long` value')
    }
    return value
  }

  topicPartition(): TopicPartition {
    return { topic: this.field('topic').string(), partition: this.field('partition').int() }
  }

  #fields(): Readonly<Record<string, unknown>> {
    const value = this.#value
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw this.#unexpected('JSON object')
    }
    return value as Readonly<Record<string, unknown>>
  }

  #unexpected(wanted: string): ToolError {
    return new ToolError(`Expected ${wanted}, received ${JSON.stringify(this.#value)}`, MAPPING)
  }
}

/** Null when the text is no JSON. */
export function parseJson(text: string): JsonInput | null {
  try {
    return new JsonInput(JSON.parse(text))
  } catch {
    return null
  }
}

/** The `version` of a file, 1 when it has none. Throws `ToolError` on another. */
export function checkJsonVersion(input: JsonInput): void {
  const version = input.get('version')?.int() ?? 1
  if (version !== 1) throw new ToolError(`Not supported version field value ${version}`)
}
