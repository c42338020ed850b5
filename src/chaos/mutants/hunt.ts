import { harnessError, type SeedOutcome } from '../campaign/seed-outcome.ts'
import { WorkerProcess, type SeedWorker } from '../campaign/worker-process.ts'
import { messageOf } from '../../base/errors.ts'
import type { Mutant } from './mutant.ts'
import { plantedStart } from './planted-process.ts'

/** More of them in a row, and it is the harness that is broken. */
const MAX_HARNESS_ERRORS = 3

export type HuntEnding = 'killed' | 'survived' | 'broken' | 'interrupted'

/** How one mutant fared. */
export interface Hunt {
  readonly mutant: Mutant
  readonly ending: HuntEnding
  /** Seeds that were run, the last of which killed it. */
  readonly seeds: number
  /** The seed that killed it; null when none did. */
  readonly seed: number | null
  /** The invariant that was broken; `L` for a cluster that did not become whole. */
  readonly invariant: string | null
  readonly reason: string | null
  /** By an invariant that the mutant names. */
  readonly isAsExpected: boolean
  readonly wallMs: number
}

export interface HuntOptions {
  readonly mutants: readonly Mutant[]
  readonly workers: number
  /** At most so many seeds a mutant. */
  readonly maxSeeds: number
  readonly fromSeed: number
  /** With this bug planted; with none for null. */
  readonly createWorker: (mutant: Mutant | null) => SeedWorker
  readonly onSeed: (mutant: Mutant, seeds: number) => void
  readonly onHunt: (hunt: Hunt) => void
  readonly signal: AbortSignal
}

/**
 * Runs seeds against each mutant until one of them fails that passes without it; several mutants at a time, each in its
 * own process.
 */
export async function huntMutants(options: HuntOptions): Promise<readonly Hunt[]> {
  const left = [...options.mutants]
  const hunts = new Map<string, Hunt>()
  const lane = async (): Promise<void> => {
    const plain = new SeedRun(null, options)
    for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
      if (options.signal.aborted) break
      const hunt = await huntOne(mutant, plain, options)
      hunts.set(mutant.name, hunt)
      options.onHunt(hunt)
    }
    plain.close()
  }
  await Promise.all(Array.from({ length: options.workers }, lane))
  return options.mutants.flatMap(({ name }) => hunts.get(name) ?? [])
}

/** A process with the bug of this mutant in it, or with none. */
export function plantedWorker(mutant: Mutant | null, wallLimitMs: number): WorkerProcess {
  return new WorkerProcess({ wallLimitMs, ...(mutant === null ? {} : plantedStart(mutant.name)) })
}

async function huntOne(mutant: Mutant, plain: SeedRun, options: HuntOptions): Promise<Hunt> {
  const fromMs = performance.now()
  const most = Math.min(options.maxSeeds, mutant.maxSeeds)
  const run = new SeedRun(mutant, options)
  let seeds = 0
  let last: SeedOutcome | null = null
  let errors = 0
  const ended = (ending: HuntEnding): Hunt => ({
    mutant,
    ending,
    seeds,
    seed: ending === 'killed' ? (last?.seed ?? null) : null,
    invariant: ending === 'killed' ? (last?.invariant ?? null) : null,
    reason: ending === 'survived' ? null : (last?.reason ?? null),
    isAsExpected: mutant.invariants.some((id) => id === last?.invariant),
    wallMs: performance.now() - fromMs,
  })
  try {
    while (seeds < most) {
      const seed = options.fromSeed + seeds
      last = await run.seed(seed, mutant.profile)
      if (options.signal.aborted) return ended('interrupted')
      seeds += 1
      options.onSeed(mutant, seeds)
      if (isFailure(last) && !isFailure(await plain.seed(seed, mutant.profile))) {
        return ended(options.signal.aborted ? 'interrupted' : 'killed')
      }
      errors = last.verdict === 'harness-error' ? errors + 1 : 0
      if (errors >= MAX_HARNESS_ERRORS) return ended('broken')
    }
    return ended('survived')
  } finally {
    run.close()
  }
}

function isFailure({ verdict }: SeedOutcome): boolean {
  return verdict === 'fail' || verdict === 'stuck'
}

/** One worker after another, a new one after each death. */
class SeedRun {
  readonly #mutant: Mutant | null
  readonly #options: HuntOptions
  #worker: SeedWorker | null = null

  constructor(mutant: Mutant | null, options: HuntOptions) {
    this.#mutant = mutant
    this.#options = options
    options.signal.addEventListener('abort', () => this.close(), { once: true })
  }

  async seed(seed: number, profile: Mutant['profile']): Promise<SeedOutcome> {
    this.#worker ??= this.#options.createWorker(this.#mutant)
    try {
      return await this.#worker.run(seed, profile)
    } catch (error) {
      this.close()
      return harnessError(seed, messageOf(error), 0)
    }
  }

  close(): void {
    this.#worker?.close()
    this.#worker = null
  }
}
