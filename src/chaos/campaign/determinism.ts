import { messageOf } from '../../base/errors.ts'
import type { Swarm } from '../swarm/swarm-profile.ts'
import type { DeterminismTask, SeedHash, SeedTrace } from './determinism-messages.ts'

const BATCH_SEEDS = 25
const SMALL_BATCH_SEEDS = 5
/** Up to so many seeds, each batch is small, so that more of them are the first of their process. */
const SMALL_SAMPLE = 50
/** An interpreter without its compiler is ten times slower. */
const SLOW_SAMPLE = 3
const VARIANT_SAMPLE = 20
const ROWS_PER_CHECKPOINT = 10_000
const ROWS_SHOWN = 3
const LINES_OF_FAILURE = 12

/** A way to run a process: another environment that a trace must not depend on. */
export interface Surroundings {
  readonly name: string
  readonly execArgv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Another Node; null is this one. */
  readonly execPath: string | null
  readonly isSlow: boolean
  /** It runs the sources without their types: there is no WebAssembly to strip them. */
  readonly isPlain: boolean
}

export const PLAIN: Surroundings = {
  name: 'a fresh process',
  execArgv: [],
  env: {},
  execPath: null,
  isSlow: false,
  isPlain: false,
}

/** Everything but other Nodes, which have to be found first. */
export const VARIANTS: readonly Surroundings[] = [
  { ...PLAIN, name: 'TZ=Asia/Kolkata', env: { TZ: 'Asia/Kolkata' } },
  { ...PLAIN, name: 'LANG=tr_TR.UTF-8', env: { LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' } },
  {
    ...PLAIN,
    name: 'a small heap',
    execArgv: ['--max-old-space-size=192', '--max-semi-space-size=1'],
  },
  { ...PLAIN, name: '--jitless', execArgv: ['--jitless'], isSlow: true, isPlain: true },
]

/** Two runs of one seed that were not the same. */
export interface Difference {
  readonly seed: number
  /** What the second run had that the first had not. */
  readonly where: string
  readonly story: readonly string[]
}

export interface DeterminismOptions {
  readonly swarm: Swarm
  readonly seeds: readonly number[]
  readonly workers: number
  readonly surroundings: readonly Surroundings[]
  /** Runs a task in a process of its own. */
  readonly ask: <Answer>(task: DeterminismTask, where: Surroundings) => Promise<Answer>
  /** So many of `totalRuns` are done. */
  readonly onRuns: (count: number) => void
  readonly onDifference: (difference: Difference) => void
  readonly signal: AbortSignal
}

export interface DeterminismResult {
  readonly seeds: number
  readonly runs: number
  readonly differences: readonly Difference[]
}

/** One process with the runs it makes; each is compared with the first run of its seed. */
interface Batch {
  readonly order: readonly number[]
  /** By the index in `order`. */
  readonly names: readonly string[]
  readonly where: Surroundings
}

/**
 * Runs every seed twice in one process, again after another seed (A-B-A), and in a second process in which
 * other seeds came before; and a sample in other surroundings. All hashes of a seed must be equal.
 */
export async function checkDeterminism(options: DeterminismOptions): Promise<DeterminismResult> {
  const batches = batchesOf(options)
  const reference = new Map<number, string>()
  const differences: Difference[] = []
  let runs = 0
  // The first process of each seed comes before all others, for these are compared with it.
  for (const round of [batches.first, batches.others]) {
    const left = [...round]
    const lane = async (): Promise<void> => {
      for (let batch = left.shift(); batch !== undefined; batch = left.shift()) {
        if (options.signal.aborted) return
        const found = await differencesIn(batch, reference, options)
        runs += batch.order.length
        options.onRuns(runs)
        for (const difference of found) options.onDifference(difference)
        differences.push(...found)
      }
    }
    await Promise.all(Array.from({ length: options.workers }, lane))
  }
  return { seeds: reference.size, runs, differences }
}

/** How many runs `checkDeterminism` makes. */
export function totalRuns(options: Pick<DeterminismOptions, 'seeds' | 'surroundings'>): number {
  const { first, others } = batchesOf(options)
  return [...first, ...others].reduce((sum, { order }) => sum + order.length, 0)
}

function batchesOf({ seeds, surroundings }: Pick<DeterminismOptions, 'seeds' | 'surroundings'>): {
  readonly first: readonly Batch[]
  readonly others: readonly Batch[]
} {
  const size = seeds.length <= SMALL_SAMPLE ? SMALL_BATCH_SEEDS : BATCH_SEEDS
  const parts = chunks(seeds, size)
  const others = parts.map((part) => onceEach(part.toReversed(), PLAIN))
  for (const where of surroundings) {
    const count = where.isSlow ? SLOW_SAMPLE : VARIANT_SAMPLE
    others.push(onceEach(seeds.slice(0, count), where))
  }
  return { first: parts.map(repeated), others }
}

function onceEach(order: readonly number[], where: Surroundings): Batch {
  return { order, names: order.map(() => where.name), where }
}

/** A A B B A C C B ...: each twice in a row, and once more after another one. */
function repeated(seeds: readonly number[]): Batch {
  const order: number[] = []
  const names: string[] = []
  const add = (seed: number, name: string): void => {
    order.push(seed)
    names.push(name)
  }
  seeds.forEach((seed, index) => {
    add(seed, 'the first run')
    add(seed, 'a second run in one process')
    const before = seeds[index - 1]
    if (before !== undefined) add(before, 'a run after another seed in one process')
  })
  return { order, names, where: PLAIN }
}

async function differencesIn(
  batch: Batch,
  reference: Map<number, string>,
  options: DeterminismOptions,
): Promise<readonly Difference[]> {
  const { swarm } = options
  const { order, names, where } = batch
  const found: Difference[] = []
  let answers: readonly SeedHash[]
  try {
    answers = await options.ask({ kind: 'hashes', swarm, seeds: order }, where)
  } catch (error) {
    if (options.signal.aborted) return []
    // A process that fails has shown nothing about its seeds, which must not pass for equal.
    const story = messageOf(error).split('\n').slice(0, LINES_OF_FAILURE)
    return [{ seed: order[0] ?? -1, where: `the process of ${where.name}`, story }]
  }
  for (const [index, { seed, hash }] of answers.entries()) {
    const expected = reference.get(seed)
    if (expected === undefined) reference.set(seed, hash)
    else if (expected !== hash) {
      const story = await explain(seed, order.slice(0, index), where, options)
      found.push({ seed, where: names[index] ?? where.name, story })
    }
  }
  return found
}

/** Makes both runs again, finds the first checkpoint that differs, and in its rows the first that do. */
async function explain(
  seed: number,
  before: readonly number[],
  where: Surroundings,
  { ask, swarm }: DeterminismOptions,
): Promise<readonly string[]> {
  const trace = (rows: { readonly fromRow: number; readonly toRow: number }, isOther: boolean) =>
    ask<SeedTrace>(
      { kind: 'trace', swarm, before: isOther ? before : [], seed, ...rows },
      isOther ? where : PLAIN,
    )
  const none = { fromRow: 0, toRow: 0 }
  const [one, other] = await Promise.all([trace(none, false), trace(none, true)])
  if (one.hash === other.hash) return ['the difference did not show again when both were repeated']
  const length = Math.max(one.checkpoints.length, other.checkpoints.length)
  let block = 0
  while (block < length && one.checkpoints[block] === other.checkpoints[block]) block += 1
  const rows = { fromRow: block * ROWS_PER_CHECKPOINT, toRow: (block + 1) * ROWS_PER_CHECKPOINT }
  const [left, right] = await Promise.all([trace(rows, false), trace(rows, true)])
  return firstDifference(left.rows, right.rows, rows.fromRow)
}

/** The first rows that differ, with a few before them. */
export function firstDifference(
  left: readonly string[],
  right: readonly string[],
  fromRow: number,
): readonly string[] {
  const length = Math.max(left.length, right.length)
  let index = 0
  while (index < length && left[index] === right[index]) index += 1
  if (index === length) return [`no row from ${fromRow} on that is kept differs`]
  return [
    `the first row that differs is ${fromRow + index}`,
    ...left.slice(Math.max(0, index - ROWS_SHOWN), index).map((row) => `    ${row}`),
    ...left.slice(index, index + ROWS_SHOWN).map((row) => `  - ${row}`),
    ...right.slice(index, index + ROWS_SHOWN).map((row) => `  + ${row}`),
  ]
}

function chunks<T>(values: readonly T[], size: number): readonly (readonly T[])[] {
  const count = Math.ceil(values.length / size)
  return Array.from({ length: count }, (_, index) => values.slice(index * size, (index + 1) * size))
}
