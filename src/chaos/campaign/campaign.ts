import { messageOf } from '../../base/errors.ts'
import type { Swarm } from '../swarm/swarm-profile.ts'
import { harnessError, isFailure, type SeedOutcome } from './seed-outcome.ts'
import type { SeedWorker } from './worker-process.ts'

/** Failures after which no new seed is begun, unless the campaign is to keep going. */
export const MAX_FAILURES = 20

export interface CampaignOptions {
  readonly swarm: Swarm
  /** In this order; the ones in `done` are not run again. */
  readonly seeds: readonly number[]
  readonly done: readonly SeedOutcome[]
  readonly workers: number
  readonly keepGoing: boolean
  readonly createWorker: () => SeedWorker
  /** Each new outcome as it comes. */
  readonly onOutcome: (outcome: SeedOutcome) => void
  /** When it is aborted, seeds under way are given up and nothing new is begun. */
  readonly signal: AbortSignal
}

export interface CampaignResult {
  /** In the order of the seeds, without those that were not run. */
  readonly outcomes: readonly SeedOutcome[]
  readonly ending: 'complete' | 'interrupted' | 'too-many-failures'
  readonly wallMs: number
  /** Of those in `outcomes`, so many were run this time. */
  readonly ranNow: number
}

/** Runs seeds on several workers. Each seed ends with an outcome, whatever its worker does. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const fromMs = performance.now()
  const outcomes = new Map(options.done.map((outcome) => [outcome.seed, outcome]))
  const left = options.seeds.filter((seed) => !outcomes.has(seed))
  const count = Math.min(options.workers, left.length)
  const progress = { next: 0, ranNow: 0, failures: options.done.filter(isFailure).length }
  const isOver = (): boolean =>
    options.signal.aborted || (!options.keepGoing && progress.failures >= MAX_FAILURES)
  const lane = async (): Promise<void> => {
    const slot = new WorkerSlot(options)
    try {
      while (!isOver()) {
        const seed = left[progress.next]
        progress.next += 1
        if (seed === undefined) return
        const outcome = await slot.run(seed)
        if (outcome === null) return
        outcomes.set(seed, outcome)
        progress.ranNow += 1
        if (isFailure(outcome)) progress.failures += 1
        options.onOutcome(outcome)
      }
    } finally {
      slot.close()
    }
  }
  await Promise.all(Array.from({ length: count }, lane))
  const ordered = options.seeds.flatMap((seed) => outcomes.get(seed) ?? [])
  const isComplete = ordered.length === options.seeds.length
  const ending = options.signal.aborted ? 'interrupted' : 'too-many-failures'
  return {
    outcomes: ordered,
    ending: isComplete ? 'complete' : ending,
    wallMs: performance.now() - fromMs,
    ranNow: progress.ranNow,
  }
}

/** One worker at a time; a new one takes the place of one that died. */
class WorkerSlot {
  readonly #options: CampaignOptions
  #worker: SeedWorker | null = null

  constructor(options: CampaignOptions) {
    this.#options = options
    options.signal.addEventListener('abort', () => this.close(), { once: true })
  }

  /** Null when the campaign was aborted meanwhile. */
  async run(seed: number): Promise<SeedOutcome | null> {
    const { createWorker, swarm, signal } = this.#options
    const fromMs = performance.now()
    this.#worker ??= createWorker()
    try {
      return await this.#worker.run(seed, swarm)
    } catch (error) {
      this.close()
      return signal.aborted
        ? null
        : harnessError(seed, messageOf(error), performance.now() - fromMs)
    }
  }

  close(): void {
    this.#worker?.close()
    this.#worker = null
  }
}
