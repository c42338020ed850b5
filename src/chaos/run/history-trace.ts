import type { EventField } from '../../ports/events.ts'
import type { Trace } from '../../sim/trace.ts'
import type { HistoryEntry } from '../history/history.ts'
import type { ReadRecord } from '../history/operation.ts'

type Fields = Record<string, EventField>

/** Writes an entry of the history into the trace, so that the hash covers what the clients saw. */
export function traceEntry(trace: Trace, atUs: number, entry: HistoryEntry): void {
  const { index, of, kind, process, operation } = entry
  const fields: Fields = { index, of }
  const values = operation as unknown as Readonly<Record<string, unknown>>
  for (const name of Object.keys(values)) {
    const value = values[name]
    if (name === 'op' || value === undefined) continue
    if (name === 'records') addRecords(fields, value as readonly ReadRecord[])
    else fields[name] = value as EventField
  }
  trace.add(atUs, process, `client.${operation.op}-${kind}`, fields)
}

/** Of many records a digest: number, first offset, and a sum over all of them that depends on their order. */
function addRecords(fields: Fields, records: readonly ReadRecord[]): void {
  let digest = 0x811c9dc5
  for (const { offset, value } of records) {
    digest = Math.imul(digest ^ offset, 0x01000193)
    for (let index = 0; index < value.length; index += 1) {
      digest = Math.imul(digest ^ value.charCodeAt(index), 0x01000193)
    }
  }
  fields['records'] = records.length
  fields['first'] = records[0]?.offset ?? -1
  fields['digest'] = digest >>> 0
}
