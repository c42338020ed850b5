import type { ReadRecord } from '../history/operation.ts'
import { FILLER, END_OF_VALUE } from '../history/payload.ts'
import type { Poll } from './history-index.ts'

/** What stands in text for a byte that is no UTF-8: a letter whose highest bit was flipped. */
const NO_LETTER = 0xfffd

/**
 * kafkajs reads records without looking at the CRC of their batch ("The library is currently not performing CRC
 * validations"), and brokers leave it to consumers: a bit that flipped on the leader's disk reaches the
 * application. Such a record is judged as the one that was stored at its offset, if it is that one but for
 * one bit; any other difference stays for the rules to find. Returns the same poll when nothing has to change.
 */
export function withoutFlippedBits(
  poll: Poll,
  storedAt: (offset: number) => Pick<ReadRecord, 'key' | 'value'> | undefined,
): Poll {
  const { operation } = poll
  let hasFlips = false
  const records = operation.records?.map((record) => {
    const stored = storedAt(record.offset)
    if (stored === undefined || !isFlipped(record, stored)) return record
    hasFlips = true
    return { ...record, key: stored.key, value: stored.value }
  })
  return hasFlips && records !== undefined
    ? { ...poll, operation: { ...operation, records } }
    : poll
}

/**
 * A bit that flips in the header of a batch (its codec) makes such a client take compressed bytes for records: they
 * have any offset. Without those whose offset is at or behind the end that the same answer tells; null when there
 * are none.
 */
export function withoutGarble(poll: Poll): Poll | null {
  const { operation } = poll
  const { records = [], highWatermark = Infinity } = operation
  const sound = records.filter(({ offset }) => offset < highWatermark)
  return sound.length === records.length
    ? null
    : { ...poll, operation: { ...operation, records: sound } }
}

function isFlipped(read: ReadRecord, stored: Pick<ReadRecord, 'key' | 'value'>): boolean {
  if (read.key === stored.key)
    return isOneBitFrom(read.value, payloadText(stored.value, read.value))
  if (read.value !== stored.value || read.key === null || stored.key === null) return false
  return isOneBitFrom(read.key, stored.key)
}

/** The text of a payload as long as `read`: one whose filling is damaged is in the history with it. */
function payloadText(value: string, read: string): string {
  const fillers = read.length - value.length - END_OF_VALUE.length
  return fillers < 0 ? value : value + END_OF_VALUE + FILLER.repeat(fillers)
}

function isOneBitFrom(read: string, stored: string): boolean {
  if (read.length !== stored.length) return false
  let differences = 0
  for (let index = 0; index < read.length; index += 1) {
    const [letter, due] = [read.charCodeAt(index), stored.charCodeAt(index)]
    if (letter === due) continue
    const changed = letter ^ due
    if (letter !== NO_LETTER && (changed & (changed - 1)) !== 0) return false
    differences += 1
  }
  return differences === 1
}
