import type { EventField } from '../../ports/events.ts'
import type { Trace } from '../../sim/trace.ts'
import type { EntryKind, HistoryEntry } from '../history/history.ts'
import type { ReadRecord } from '../history/operation.ts'

type Fields = Readonly<Record<string, EventField>>

/** Kinds of row by operation and kind of entry: made once, as texts that are made anew are dear to look up. */
const ROW_KINDS: ReadonlyMap<string, Readonly<Record<EntryKind, string>>> = new Map(
  ['send', 'poll', 'list-offsets', 'commit', 'committed', 'assigned', 'revoked', 'lost'].map(
    (op) => [op, rowKinds(op)] as const,
  ),
)

/** Writes an entry of the history into the trace, so that the hash covers what the clients saw. */
export function traceEntry(trace: Trace, atUs: number, entry: HistoryEntry): void {
  const { index, of, kind, process, operation } = entry
  const rowKind = (ROW_KINDS.get(operation.op) ?? rowKinds(operation.op))[kind]
  const fields = operation as unknown as Fields
  if ('records' in operation && operation.records !== undefined) {
    trace.add(atUs, process, rowKind, { ...fields, index, of, ...digestOf(operation.records) })
  } else {
    trace.add(atUs, process, rowKind, { ...fields, index, of })
  }
}

function rowKinds(op: string): Readonly<Record<EntryKind, string>> {
  const row = `client.${op}`
  return { invoke: `${row}-invoke`, ok: `${row}-ok`, fail: `${row}-fail`, info: `${row}-info` }
}

/** What stands for many records: number, first offset, and a sum over all of them that depends on their order. */
function digestOf(records: readonly ReadRecord[]): Fields {
  let digest = 0x811c9dc5
  for (const { offset, value } of records) {
    digest = Math.imul(digest ^ offset, 0x01000193)
    for (let index = 0; index < value.length; index += 1) {
      digest = Math.imul(digest ^ value.charCodeAt(index), 0x01000193)
    }
  }
  return { records: records.length, first: records[0]?.offset ?? -1, digest: digest >>> 0 }
}
