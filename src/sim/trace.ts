import { createHash } from 'node:crypto'
import type { EventField } from '../ports/events.ts'

const ROWS_KEPT = 50_000
const ROWS_PER_CHECKPOINT = 10_000
const LINES_PER_HASH_UPDATE = 256

/** One thing that happened in a simulated world. */
export interface TraceRow {
  readonly seq: number
  readonly atUs: number
  readonly node: string
  readonly kind: string
  readonly fields: Readonly<Record<string, EventField>>
}

/**
 * What happened in a simulated world, hashed as it goes. The hash covers all rows; only the last 50,000
 * are kept. Two runs that differ are narrowed down by their checkpoints, one for every 10,000 rows.
 */
export class Trace {
  readonly #hash = createHash('sha256')
  readonly #checkpoints: string[] = []
  #lines: string[] = []
  #ring: TraceRow[] = []
  #rowCount = 0

  get rowCount(): number {
    return this.#rowCount
  }

  add(atUs: number, node: string, kind: string, fields: TraceRow['fields']): void {
    const row: TraceRow = { seq: this.#rowCount, atUs, node, kind, fields }
    this.#ring[this.#rowCount % ROWS_KEPT] = row
    this.#rowCount += 1
    this.#lines.push(encodeRow(row))
    if (this.#lines.length >= LINES_PER_HASH_UPDATE) this.#update()
    if (this.#rowCount % ROWS_PER_CHECKPOINT === 0) this.#checkpoints.push(this.hash())
  }

  /** SHA-256 over all rows so far, in hex. */
  hash(): string {
    this.#update()
    return this.#hash.copy().digest('hex')
  }

  /** The hash after every 10,000 rows. */
  checkpoints(): readonly string[] {
    return this.#checkpoints
  }

  /** The rows still kept, oldest first. */
  rows(): readonly TraceRow[] {
    const oldest = this.#rowCount % ROWS_KEPT
    if (this.#rowCount <= ROWS_KEPT) return this.#ring.slice()
    return [...this.#ring.slice(oldest), ...this.#ring.slice(0, oldest)]
  }

  #update(): void {
    if (this.#lines.length === 0) return
    this.#hash.update(this.#lines.join(''))
    this.#lines = []
  }
}

/** The canonical text of a row: fields sorted by name, one line. */
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
