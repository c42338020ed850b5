import type { Round } from './round.ts'
import { recordOf, valueOf, type History } from './history.ts'

/** The outcome of one check; `detail` says what was seen. */
export interface Check {
  readonly name: string
  readonly passed: boolean
  readonly detail: string
}

/** Counts over one run: what was promised against what is in the log. */
export interface Tally {
  readonly acked: number
  readonly readBack: number
  readonly lost: number
  readonly duplicated: number
  readonly unknownOutcome: number
  readonly consumedByGroup: number
  readonly redelivered: number
}

const SHOWN = 5

/** `log` holds the values of every partition in offset order, one array a partition. */
export function tallyOf(history: History, log: readonly (readonly string[])[]): Tally {
  const counts = countsOf(log.flat())
  const acked = new Set(history.acks.map(valueOf))
  return {
    acked: acked.size,
    readBack: counts.size,
    lost: [...acked].filter((value) => !counts.has(value)).length,
    duplicated: [...counts.values()].filter((count) => count > 1).length,
    unknownOutcome: history.unknown.length,
    consumedByGroup: history.consumed.size,
    redelivered: [...history.consumed.values()].filter((count) => count > 1).length,
  }
}

/** No acknowledged record is missing from the log (invariant D1). */
export function noAckedLoss(history: History, log: readonly (readonly string[])[]): Check {
  const present = new Set(log.flat())
  const lost = [...new Set(history.acks.map(valueOf))].filter((value) => !present.has(value))
  return verdict(
    'nothing acked was lost',
    lost,
    `${history.acks.length} acked records are in the log`,
  )
}

/** No value stands twice in the log: the producers are idempotent (invariant P1). */
export function noDuplicates(log: readonly (readonly string[])[]): Check {
  const twice = [...countsOf(log.flat())].filter(([, count]) => count > 1).map(([value]) => value)
  return verdict('nothing was written twice', twice, 'every value is in the log once')
}

/** Within a key, each partition has the order in which the producer sent. */
export function orderPerKey(log: readonly (readonly string[])[]): Check {
  const wrong: string[] = []
  const keys = new Set<string>()
  for (const values of log) {
    const last = new Map<string, number>()
    for (const value of values) {
      const { key, sequence } = recordOf(value)
      const previous = last.get(key) ?? -1
      if (sequence < previous) wrong.push(`${value} after ${key}:${previous}`)
      last.set(key, sequence)
      keys.add(key)
    }
  }
  return verdict('order per key held', wrong, `${keys.size} keys in order`)
}

/** Each dead leader came back with records that nobody had acked, and gave them up (invariant R14). */
export function tailsWereTruncated(rounds: readonly Round[]): Check {
  const counts = rounds.map(
    ({ killed, truncatedRecords }) => `broker ${killed}: ${truncatedRecords}`,
  )
  return {
    name: 'each dead leader truncated its unreplicated tail',
    passed: rounds.every(({ truncatedRecords }) => truncatedRecords > 0),
    detail: counts.join(', '),
  }
}

/** The consumer group has processed every acknowledged record at least once (invariant G6). */
export function groupSawAll(history: History): Check {
  const missing = [...new Set(history.acks.map(valueOf))].filter(
    (value) => !history.consumed.has(value),
  )
  return verdict(
    'the group consumed every acked record',
    missing,
    `${history.consumed.size} values`,
  )
}

/** The sink file is the source file, line by line. */
export function sinkEqualsSource(source: readonly string[], sink: readonly string[]): Check {
  const at = source.findIndex((line, index) => sink[index] !== line)
  const name = 'the sink file has every source line in order'
  if (at === -1 && sink.length === source.length) {
    return { name, passed: true, detail: `${source.length} lines` }
  }
  const where = at === -1 ? source.length : at
  const seen = sink[where] ?? 'the end of the file'
  const wanted = source[where] ?? 'the end of the file'
  return { name, passed: false, detail: `line ${where + 1} should be "${wanted}", is "${seen}"` }
}

function verdict(name: string, wrong: readonly string[], fine: string): Check {
  if (wrong.length === 0) return { name, passed: true, detail: fine }
  const more = wrong.length > SHOWN ? `, and ${wrong.length - SHOWN} more` : ''
  return {
    name,
    passed: false,
    detail: `${wrong.length}: ${wrong.slice(0, SHOWN).join(', ')}${more}`,
  }
}

function countsOf(values: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}
