// Question: how long does a user wait for three brokers, and for the first acked record of a replicated topic?
// Method: fresh processes one after another, the compile cache warm; medians of the repeats.
// Run with `npm run bench start`, or `npm run bench start 15` for more repeats.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { StartTimes } from './support/start-once.ts'

const REPEATS = 7
const ONCE = fileURLToPath(new URL('support/start-once.ts', import.meta.url))
const ROWS: readonly (readonly [string, string, number])[] = [
  ['3 inline brokers in memory, first in its process', 'inline', 0],
  ['3 inline brokers in memory, second in its process', 'inline', 1],
  ['3 inline brokers in memory, fifth in its process', 'inline', 4],
  ['3 inline brokers on disk, first in its process', 'inline-disk', 0],
  ['3 broker processes', 'process', 0],
]

const repeats = Number(process.argv[3] ?? REPEATS)
run('inline')
run('process')
const table: Record<string, Record<string, number>> = {}
for (const [name, kind, index] of ROWS) {
  const times = Array.from({ length: repeats }, () => run(kind)[index]).filter(isPresent)
  table[name] = {
    'import ms': median(times.map(({ importMs }) => importMs)),
    'ready ms': median(times.map(({ readyMs }) => readyMs)),
    'first acked record ms': median(times.map(({ ackedMs }) => ackedMs)),
    'stop ms': median(times.map(({ stopMs }) => stopMs)),
  }
}
console.table(table)

function run(kind: string): readonly StartTimes[] {
  const text = execFileSync(process.execPath, [ONCE, kind], { encoding: 'utf8' })
  return JSON.parse(text) as readonly StartTimes[]
}

function isPresent<T>(value: T | undefined): value is T {
  return value !== undefined
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return Math.round(sorted[Math.floor(sorted.length / 2)] ?? Number.NaN)
}
