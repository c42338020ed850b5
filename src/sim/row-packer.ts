import type { EventField } from '../ports/events.ts'

/** Words that are gathered before they are handed on. */
const BATCH_WORDS = 16 * 1024
/** Longer texts are seldom seen twice. */
const LONGEST_KEPT_TEXT = 80
const KEPT_TEXTS = 20_000
/** Of one kind, so many sets of fields are remembered; the first serves whatever comes after them anew. */
const KEPT_SHAPES = 8
const NO_NUMBER = -1

/** The kinds of value, in three bits each. */
const TAG = {
  null: 0,
  false: 1,
  true: 2,
  int32: 3,
  double: 4,
  text: 5,
  newText: 6,
  list: 7,
} as const
const TAGS_A_WORD = 10
/** More than any one value but a text takes. */
const ROOM_WORDS = 8

/** Names of the fields that rows of a kind had, as they came and sorted. */
interface Shape {
  readonly names: readonly string[]
  /** Of the names in sorted order: where each stands in `names`. */
  readonly order: readonly number[]
  /** Tells it, and its kind, from every other. */
  readonly label: string
  /** What stands for the label once it was packed whole; `NO_NUMBER` before, and when it is too long to be kept. */
  labelNumber: number
  /** Of each field, by its place in `order`: the text that it had last and what stands for it, if anything does. */
  readonly lastTexts: (string | null)[]
  readonly lastNumbers: number[]
}

/**
 * Turns rows into bytes, for a hash. Equal sequences of rows give equal bytes and different ones different
 * bytes; the order in which a row's fields were written down does not count. A text is packed whole when
 * it is first seen and as a number later. Ten values at a time follow a word that says what each of them is.
 */
export class RowPacker {
  readonly #onBatch: (bytes: Buffer) => void
  readonly #texts = new Map<string, number>()
  readonly #shapes = new Map<string, Shape[]>()
  readonly #doubles = new Float64Array(1)
  readonly #doubleWords = new Int32Array(this.#doubles.buffer)
  /** Of the row at hand, in the order of its shape's names. */
  readonly #values: (EventField | undefined)[] = []
  #words = new Int32Array(BATCH_WORDS)
  #used = 0
  /** Where the word for the present tags stands. */
  #tagsAt = 0
  #tags = 0
  #tagCount = 0

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
    // Between rows only: where a batch ends must not show in what is packed.
    if (this.#used > BATCH_WORDS / 2) this.flush()
    const shape = this.#shapeOf(kind, fields)
    this.#beginTags()
    this.#number(atUs)
    this.#text(node)
    this.#label(shape)
    const { order } = shape
    const values = this.#values
    for (let index = 0; index < order.length; index += 1) {
      const value = values[order[index] ?? 0]
      if (typeof value === 'string') this.#fieldText(shape, index, value)
      else this.#value(value)
    }
    this.#words[this.#tagsAt] = this.#tags
  }

  flush(): void {
    if (this.#used === 0) return
    this.#onBatch(Buffer.from(this.#words.buffer, 0, this.#used * 4))
    this.#used = 0
  }

  /** The shape of these fields, whose values are then in `#values`. */
  #shapeOf(kind: string, fields: Readonly<Record<string, EventField>>): Shape {
    let known = this.#shapes.get(kind)
    if (known === undefined) {
      known = []
      this.#shapes.set(kind, known)
    }
    for (let index = 0; index < known.length; index += 1) {
      const shape = known[index]
      if (shape !== undefined && this.#takes(shape.names, fields)) return shape
    }
    const names = Object.keys(fields)
    const sorted = names.toSorted()
    const order = sorted.map((name) => names.indexOf(name))
    const label = JSON.stringify([kind, ...sorted])
    const shape: Shape = {
      names,
      order,
      label,
      labelNumber: NO_NUMBER,
      lastTexts: names.map(() => null),
      lastNumbers: names.map(() => NO_NUMBER),
    }
    if (known.length < KEPT_SHAPES) known.push(shape)
    this.#takes(names, fields)
    return shape
  }

  /** Whether the fields have these names in this order; takes their values on the way. */
  #takes(names: readonly string[], fields: Readonly<Record<string, EventField>>): boolean {
    const values = this.#values
    let index = 0
    for (const name in fields) {
      if (names[index] !== name) return false
      values[index] = fields[name]
      index += 1
    }
    return index === names.length
  }

  #value(value: EventField | undefined): void {
    if (typeof value === 'number') this.#number(value)
    else if (typeof value === 'string') this.#text(value)
    else if (value === null || value === undefined) this.#tag(TAG.null)
    else if (typeof value === 'boolean') this.#tag(value ? TAG.true : TAG.false)
    else this.#list(value)
  }

  #list(values: readonly (number | string)[]): void {
    this.#tag(TAG.list)
    this.#words[this.#used++] = values.length
    for (const value of values) this.#value(value)
  }

  #number(value: number): void {
    const whole = value | 0
    if (whole === value) {
      this.#tag(TAG.int32)
      this.#words[this.#used++] = whole
      return
    }
    this.#tag(TAG.double)
    // The bits of a NaN are the engine's choice; as two words these cannot be those of another number.
    this.#doubles[0] = value
    const isNumber = !Number.isNaN(value)
    this.#words[this.#used++] = isNumber ? (this.#doubleWords[0] ?? 0) : -1
    this.#words[this.#used++] = isNumber ? (this.#doubleWords[1] ?? 0) : -1
  }

  /** As any other text; that of a known shape need not be looked up. */
  #label(shape: Shape): void {
    if (shape.labelNumber === NO_NUMBER) shape.labelNumber = this.#text(shape.label)
    else this.#knownText(shape.labelNumber)
  }

  /** As any other text; one that is the same row after row need not be looked up. */
  #fieldText({ lastTexts, lastNumbers }: Shape, index: number, text: string): void {
    const last = lastNumbers[index] ?? NO_NUMBER
    if (last !== NO_NUMBER && lastTexts[index] === text) return this.#knownText(last)
    lastTexts[index] = text
    lastNumbers[index] = this.#text(text)
  }

  #knownText(number: number): void {
    this.#tag(TAG.text)
    this.#words[this.#used++] = number
  }

  /** Returns what stands for the text from now on, or `NO_NUMBER`. */
  #text(text: string): number {
    const known = this.#texts.get(text)
    if (known !== undefined) {
      this.#knownText(known)
      return known
    }
    this.#tag(TAG.newText)
    this.#newText(text)
    // Which texts have numbers depends on the rows so far alone.
    const number = this.#texts.size
    if (text.length > LONGEST_KEPT_TEXT || number >= KEPT_TEXTS) return NO_NUMBER
    this.#texts.set(text, number)
    return number
  }

  /** Its length, then two units of it a word. */
  #newText(text: string): void {
    const { length } = text
    this.#reserve(length + ROOM_WORDS)
    const words = this.#words
    let at = this.#used
    words[at++] = length
    for (let index = 0; index < length; index += 2) {
      const second = index + 1 < length ? text.charCodeAt(index + 1) : 0
      words[at++] = text.charCodeAt(index) | (second << 16)
    }
    this.#used = at
  }

  /** Says what the next value is, and makes room for it. */
  #tag(tag: number): void {
    this.#reserve(2 * ROOM_WORDS)
    if (this.#tagCount === TAGS_A_WORD) {
      this.#words[this.#tagsAt] = this.#tags
      this.#beginTags()
    }
    this.#tags |= tag << (3 * this.#tagCount)
    this.#tagCount += 1
  }

  #beginTags(): void {
    this.#reserve(ROOM_WORDS)
    this.#tagsAt = this.#used
    this.#used += 1
    this.#tags = 0
    this.#tagCount = 0
  }

  #reserve(words: number): void {
    if (this.#used + words <= this.#words.length) return
    const grown = new Int32Array(2 * (this.#used + words))
    grown.set(this.#words)
    this.#words = grown
  }
}
