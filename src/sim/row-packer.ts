import type { EventField } from '../ports/events.ts'

const BATCH_BYTES = 64 * 1024
/** Longer texts are seldom seen twice. */
const LONGEST_KEPT_TEXT = 80
/** Their numbers take two bytes. */
const KEPT_TEXTS = 20_000

/** The kinds of value, as bytes of the packed form. */
const TAG = {
  null: 0,
  false: 1,
  true: 2,
  int32: 3,
  double: 4,
  text: 5,
  newText: 6,
  list: 7,
  notANumber: 8,
} as const

/** Names of the fields that one kind of row had, as they came and sorted. */
interface Shape {
  readonly names: readonly string[]
  readonly sorted: readonly string[]
  /** Tells it from every other. */
  readonly label: string
}

/**
 * Turns rows into bytes, for a hash. Equal sequences of rows give equal bytes and different ones different
 * bytes; the order in which a row's fields were written down does not count. A text is packed whole when
 * it is first seen and as a number later.
 */
export class RowPacker {
  readonly #onBatch: (bytes: Buffer) => void
  readonly #texts = new Map<string, number>()
  readonly #shapes = new Map<string, Shape>()
  readonly #doubles = new Float64Array(1)
  readonly #doubleBytes = new Uint8Array(this.#doubles.buffer)
  #bytes = Buffer.allocUnsafeSlow(BATCH_BYTES)
  #used = 0

  /** `onBatch` gets bytes that are good only while it runs. */
  constructor(onBatch: (bytes: Buffer) => void) {
    this.#onBatch = onBatch
  }

  add(
    atUs: number,
    node: string,
    kind: string,
    fields: Readonly<Record<string, EventField>>,
  ): void {
    this.#number(atUs)
    this.#text(node)
    this.#text(kind)
    const { sorted, label } = this.#shapeOf(kind, fields)
    this.#text(label)
    for (let index = 0; index < sorted.length; index += 1) this.#value(fields[sorted[index] ?? ''])
  }

  flush(): void {
    if (this.#used === 0) return
    this.#onBatch(this.#bytes.subarray(0, this.#used))
    this.#used = 0
  }

  #shapeOf(kind: string, fields: Readonly<Record<string, EventField>>): Shape {
    const known = this.#shapes.get(kind)
    if (known !== undefined && hasShape(fields, known.names)) return known
    const names = Object.keys(fields)
    const sorted = names.toSorted()
    const shape = { names, sorted, label: JSON.stringify(sorted) }
    this.#shapes.set(kind, shape)
    return shape
  }

  #value(value: EventField | undefined): void {
    if (typeof value === 'number') this.#number(value)
    else if (typeof value === 'string') this.#text(value)
    else if (value === null || value === undefined) this.#byte(TAG.null)
    else if (typeof value === 'boolean') this.#byte(value ? TAG.true : TAG.false)
    else this.#list(value)
  }

  #list(values: readonly (number | string)[]): void {
    this.#byte(TAG.list)
    this.#int32(values.length)
    for (const value of values) this.#value(value)
  }

  #number(value: number): void {
    const whole = value | 0
    if (whole === value) {
      this.#byte(TAG.int32)
      this.#int32(whole)
    } else if (Number.isNaN(value)) {
      // The bits of a NaN are the engine's choice.
      this.#byte(TAG.notANumber)
    } else {
      this.#byte(TAG.double)
      this.#reserve(8)
      this.#doubles[0] = value
      this.#bytes.set(this.#doubleBytes, this.#used)
      this.#used += 8
    }
  }

  #text(text: string): void {
    const known = this.#texts.get(text)
    if (known !== undefined) {
      this.#reserve(3)
      this.#bytes[this.#used] = TAG.text
      this.#bytes[this.#used + 1] = known
      this.#bytes[this.#used + 2] = known >>> 8
      this.#used += 3
      return
    }
    const bytes = Buffer.from(text, 'utf8')
    this.#byte(TAG.newText)
    this.#int32(bytes.length)
    this.#raw(bytes)
    // Which texts have numbers depends on the rows so far alone.
    if (text.length <= LONGEST_KEPT_TEXT && this.#texts.size < KEPT_TEXTS) {
      this.#texts.set(text, this.#texts.size)
    }
  }

  #raw(bytes: Buffer): void {
    if (bytes.length <= BATCH_BYTES) {
      this.#reserve(bytes.length)
      this.#bytes.set(bytes, this.#used)
      this.#used += bytes.length
    } else {
      this.flush()
      this.#onBatch(bytes)
    }
  }

  #int32(value: number): void {
    this.#reserve(4)
    const bytes = this.#bytes
    const at = this.#used
    bytes[at] = value
    bytes[at + 1] = value >>> 8
    bytes[at + 2] = value >>> 16
    bytes[at + 3] = value >>> 24
    this.#used = at + 4
  }

  #byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#used] = value
    this.#used += 1
  }

  #reserve(count: number): void {
    if (this.#used + count > BATCH_BYTES) this.flush()
  }
}

function hasShape(fields: object, names: readonly string[]): boolean {
  let index = 0
  for (const name in fields) {
    if (names[index] !== name) return false
    index += 1
  }
  return index === names.length
}
