import { createHash } from 'node:crypto'
import { present } from '../base/assert.ts'
import type { EventField } from '../ports/events.ts'
import { RowPacker } from './row-packer.ts'

const ROWS_KEPT = 50_000
const ROWS_PER_CHECKPOINT = 10_000

/** One thing that happened in a simulated world. */
export interface TraceRow {
  readonly seq: number
  readonly atUs: number
  readonly node: string
  readonly kind: string
  /** Never changed once the row is told. */
  readonly fields: Readonly<Record<string, EventField>>
}

/**
 * What happened in a simulated world, hashed as it goes. The hash covers all rows; only the last 50,000
 * are kept. Two runs that differ are narrowed down by their checkpoints, one for every 10,000 rows.
 */
export class Trace {
  readonly #hash = createHash('sha256')
  readonly #packer = new RowPacker((bytes) => this.#hash.update(bytes))
  readonly #checkpoints: string[] = []
  /** The rows still kept, by `seq % ROWS_KEPT`, in columns: an object for each would be the world's most frequent. */
  readonly #atUs: number[] = []
  readonly #nodes: string[] = []
  readonly #kinds: string[] = []
  readonly #fields: TraceRow['fields'][] = []
  #rowCount = 0

  get rowCount(): number {
    return this.#rowCount
  }

  /** `fields` is kept: it must not be changed later. */
  add(atUs: number, node: string, kind: string, fields: TraceRow['fields']): void {
    const seq = this.#rowCount
    const place = seq % ROWS_KEPT
    this.#atUs[place] = atUs
    this.#nodes[place] = node
    this.#kinds[place] = kind
    this.#fields[place] = fields
    this.#rowCount = seq + 1
    this.#packer.add(atUs, node, kind, fields)
    if (this.#rowCount % ROWS_PER_CHECKPOINT === 0) this.#checkpoints.push(this.hash())
  }

  /** SHA-256 over all rows so far, in hex. */
  hash(): string {
    this.#packer.flush()
    return this.#hash.copy().digest('hex')
  }

  /** The hash after every 10,000 rows. */
  checkpoints(): readonly string[] {
    return this.#checkpoints
  }

  /** The rows still kept, oldest first. */
  rows(): readonly TraceRow[] {
    const count = Math.min(this.#rowCount, ROWS_KEPT)
    const first = this.#rowCount - count
    return Array.from({ length: count }, (_, index) => this.#row(first + index))
  }

  #row(seq: number): TraceRow {
    const place = seq % ROWS_KEPT
    const what = `row ${seq} of a trace`
    return {
      seq,
      atUs: present(this.#atUs[place], what),
      node: present(this.#nodes[place], what),
      kind: present(this.#kinds[place], what),
      fields: present(this.#fields[place], what),
    }
  }
}

/** A row as one line of text, its fields sorted by name: for people, and to compare rows. */
export function encodeRow(row: TraceRow): string {
  const names = Object.keys(row.fields).sort()
  const fields = names.map((name) => `${name}=${encodeField(row.fields[name])}`)
  return `${row.seq} ${row.atUs} ${row.node} ${row.kind} ${fields.join(' ')}\n`
}

function encodeField(field: EventField | undefined): string {
  if (typeof field === 'string') return JSON.stringify(field)
  if (field === null || typeof field !== 'object') return String(field)
  return `[${field.map((value) => encodeField(value)).join(',')}]`
}
