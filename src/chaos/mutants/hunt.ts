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
  /** The invariant that was broken. */
  readonly invariant: string | null
  /** The first seed in which each invariant was broken. */
  readonly foundBy: Readonly<Record<string, number>>
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
  /**
   * Not the first kill ends a hunt, but that of the last check that the mutant names. Runs go on after a broken invariant,
   * so the workers have to be made for that.
   */
  readonly keepGoing: boolean
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
export function plantedWorker(
  mutant: Mutant | null,
  options: { readonly wallLimitMs: number; readonly keepGoing: boolean },
): WorkerProcess {
  return new WorkerProcess({ ...options, ...(mutant === null ? {} : plantedStart(mutant.name)) })
}

async function huntOne(mutant: Mutant, plain: SeedRun, options: HuntOptions): Promise<Hunt> {
  const fromMs = performance.now()
  const most = Math.min(options.maxSeeds, mutant.maxSeeds)
  const run = new SeedRun(mutant, options)
  const kills = new Kills(mutant)
  let seeds = 0
  let errors = 0
  let lastReason: string | null = null
  const ended = (ending: HuntEnding): Hunt => ({
    mutant,
    ending: kills.first === null ? ending : 'killed',
    ...kills.told(),
    seeds: kills.first?.seeds ?? seeds,
    reason: kills.first === null && ending === 'survived' ? null : lastReason,
    wallMs: performance.now() - fromMs,
  })
  try {
    while (seeds < most) {
      const seed = options.fromSeed + seeds
      const outcome = await run.seed(seed, mutant.profile)
      if (options.signal.aborted) return ended('interrupted')
      seeds += 1
      options.onSeed(mutant, seeds)
      if (kills.first === null) lastReason = outcome.reason
      if (isFailure(outcome) && kills.areNew(outcome)) {
        kills.add(outcome, await plain.seed(seed, mutant.profile), seeds)
        if (options.signal.aborted) return ended('interrupted')
        if (kills.first !== null && (!options.keepGoing || kills.isComplete)) return ended('killed')
      }
      errors = outcome.verdict === 'harness-error' ? errors + 1 : 0
      if (errors >= MAX_HARNESS_ERRORS) return ended('broken')
    }
    return ended('survived')
  } finally {
    run.close()
  }
}

/** What the seeds of one mutant broke that holds without it. */
class Kills {
  readonly #mutant: Mutant
  readonly #foundBy = new Map<string, number>()
  first: { readonly outcome: SeedOutcome; readonly seeds: number } | null = null

  constructor(mutant: Mutant) {
    this.#mutant = mutant
  }

  /** Every check that the mutant names has found it; an assertion of the node itself is none. */
  get isComplete(): boolean {
    return this.#mutant.invariants.every((id) => id === 'CRASH' || this.#foundBy.has(id))
  }

  areNew({ broken }: SeedOutcome): boolean {
    return this.first === null || broken.some((id) => !this.#foundBy.has(id))
  }

  /** `plain` is the same seed without the bug: one that fails as well says nothing about the bug. */
  add(outcome: SeedOutcome, plain: SeedOutcome, seeds: number): void {
    if (isFailure(plain)) return
    this.first ??= { outcome, seeds }
    for (const id of outcome.broken) {
      if (!this.#foundBy.has(id)) this.#foundBy.set(id, outcome.seed)
    }
  }

  told(): Pick<Hunt, 'seed' | 'invariant' | 'foundBy' | 'isAsExpected'> {
    const { seed, invariant } = this.first?.outcome ?? { seed: null, invariant: null }
    return {
      seed,
      invariant,
      foundBy: Object.fromEntries(this.#foundBy),
      isAsExpected: this.#mutant.invariants.some((id) => id === invariant),
    }
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
      return await this.#worker.run(seed, { profile, size: 'full' })
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
