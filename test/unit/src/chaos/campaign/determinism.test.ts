// Goal: a run that differs in one of the ways is found and explained. Method: processes that are functions.
import { describe, expect, it } from 'vitest'
import {
  checkDeterminism,
  firstDifference,
  PLAIN,
  totalRuns,
  VARIANTS,
  type DeterminismOptions,
} from '../../../../../src/chaos/campaign/determinism.ts'
import type {
  DeterminismTask,
  SeedHash,
  SeedTrace,
} from '../../../../../src/chaos/campaign/determinism-messages.ts'
import type { Surroundings } from '../../../../../src/chaos/campaign/determinism.ts'

const SEEDS = [1, 2, 3, 4, 5, 6, 7]

/** The hash of a run: of its seed, what ran before it in its process, and the surroundings. */
type HashOf = (seed: number, before: readonly number[], where: Surroundings) => string

async function check(hashOf: HashOf, surroundings: readonly Surroundings[] = VARIANTS) {
  const ask = async (task: DeterminismTask, where: Surroundings): Promise<unknown> => {
    if (task.kind === 'hashes') {
      const hashes: SeedHash[] = task.seeds.map((seed, index) => ({
        seed,
        hash: hashOf(seed, task.seeds.slice(0, index), where),
      }))
      return hashes
    }
    const hash = hashOf(task.seed, task.before, where)
    const trace: SeedTrace = {
      hash,
      rowCount: 20_000,
      checkpoints: ['same', hash],
      rows: task.fromRow === 10_000 ? ['equal', `row of ${hash}`] : ['wrong window'],
    }
    return trace
  }
  const options: DeterminismOptions = {
    swarm: { profile: 'data', size: 'full' },
    seeds: SEEDS,
    workers: 2,
    surroundings,
    ask: ask as DeterminismOptions['ask'],
    onRuns: () => undefined,
    onDifference: () => undefined,
    signal: new AbortController().signal,
  }
  const result = await checkDeterminism(options)
  return { ...result, total: totalRuns(options) }
}

describe('checkDeterminism', () => {
  it('passes when every run of a seed has its hash', async () => {
    const { differences, runs, seeds, total } = await check((seed) => `h${seed}`)
    expect({ differences, seeds }).toEqual({ differences: [], seeds: SEEDS.length })
    expect(runs).toBe(total)
  })

  it.each<readonly [string, RegExp, HashOf]>([
    [
      'in the second run of a process',
      /a second run in one process/,
      (seed, before) => `h${seed}${before.includes(seed) && before.at(-1) === seed ? 'x' : ''}`,
    ],
    [
      'after another seed',
      /a run after another seed/,
      (seed, before) => `h${seed}${before.includes(seed) && before.at(-1) !== seed ? 'x' : ''}`,
    ],
    [
      'when others came before',
      /a fresh process/,
      (seed, before) => `h${seed}${before.includes(seed + 1) && !before.includes(seed) ? 'x' : ''}`,
    ],
    [
      'in another time zone',
      /TZ=Asia\/Kolkata/,
      (seed, _, where) => `h${seed}${where.env['TZ'] === undefined ? '' : 'x'}`,
    ],
    ['without a compiler', /--jitless/, (seed, _, where) => `h${seed}${where.isSlow ? 'x' : ''}`],
  ])('finds a seed that differs %s', async (_, where, hashOf) => {
    const { differences } = await check(hashOf)
    expect(differences.length).toBeGreaterThan(0)
    for (const difference of differences) expect(difference.where).toMatch(where)
    expect(differences[0]?.story).toEqual([
      'the first row that differs is 10001',
      '    equal',
      expect.stringMatching(/^ {2}- row of h\d$/),
      expect.stringMatching(/^ {2}\+ row of h\dx$/),
    ])
  })

  it('takes a process that fails for a difference, and goes on', async () => {
    const { differences, runs, total } = await check((seed, _, where) => {
      if (where.isSlow) throw new Error('no WebAssembly\n  at line 3')
      return `h${seed}`
    })
    expect(differences).toEqual([
      { seed: 1, where: 'the process of --jitless', story: ['no WebAssembly', '  at line 3'] },
    ])
    expect(runs).toBe(total)
  })

  it('says when a difference does not show again', async () => {
    let calls = 0
    const { differences } = await check(
      (seed) => {
        calls += 1
        return calls === 2 ? 'odd' : `h${seed}`
      },
      [PLAIN],
    )
    expect(differences[0]?.story[0]).toMatch(/did not show again/)
  })
})

describe('firstDifference', () => {
  it('tells of a trace that ends early', () => {
    expect(firstDifference(['a', 'b'], ['a'], 0)).toEqual([
      'the first row that differs is 1',
      '    a',
      '  - b',
    ])
    expect(firstDifference(['a'], ['a'], 5)).toEqual(['no row from 5 on that is kept differs'])
  })
})
