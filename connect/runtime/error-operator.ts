import type { Clock } from '../../src/ports/clock.ts'
import type { Random } from '../../src/ports/random.ts'
import { ConnectError, RetriableConnectError } from '../errors.ts'
import { runStages, StageFailure, type Stage } from './stages.ts'
import { sleep } from './waiting.ts'
import type { Voice } from './worker-event.ts'

const FIRST_DELAY_MS = 300
const MAX_DOUBLINGS = 20

/** The `errors.*` settings of a connector. */
export interface ErrorSettings {
  /** Default 0: no second try. `Infinity`: for ever. */
  readonly retryTimeoutMs: number
  readonly retryDelayMaxMs: number
  readonly tolerance: 'none' | 'all'
  readonly isLogged: boolean
  /** Whether the record is told too. */
  readonly logsMessages: boolean
}

export interface ErrorOperatorOptions {
  readonly settings: ErrorSettings
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal
  readonly voice: Voice
}

/**
 * Runs the steps of a record with `errors.*`: tries retriable failures again, reports, then skips the record
 * (tolerance all) or fails the task (none). KIP-298.
 */
export class ErrorOperator {
  readonly #options: ErrorOperatorOptions

  constructor(options: ErrorOperatorOptions) {
    this.#options = options
  }

  get toleratesAll(): boolean {
    return this.#options.settings.tolerance === 'all'
  }

  /** False: the record was dropped or skipped. A promise only when something failed; it rejects with `ConnectError`. */
  run<Work>(
    stages: readonly Stage<Work>[],
    work: Work,
    describe: (work: Work) => string,
  ): boolean | Promise<boolean> {
    const outcome = runStages(stages, work)
    return outcome instanceof StageFailure ? this.#recover(outcome, () => describe(work)) : outcome
  }

  /** Logs a failed step, if that is asked for. */
  report(stage: string, className: string, error: Error, describe: () => string): void {
    const { settings, voice } = this.#options
    if (!settings.isLogged) return
    const where = settings.logsMessages ? ` where ${describe()}` : ''
    const text = `error in stage ${stage} of class ${className}${where}: ${error.message}`
    voice.tell('record.failed', 'error', text)
  }

  async #recover(first: StageFailure, describe: () => string): Promise<boolean> {
    const { settings, clock } = this.#options
    let failure = first
    let attempt = 1
    let deadlineMs = clock.monoMs() + settings.retryTimeoutMs
    while (await this.#waitsForRetry(failure.error, attempt, deadlineMs)) {
      const outcome = failure.retry()
      if (!(outcome instanceof StageFailure)) return outcome
      attempt += 1
      if (outcome.stage !== failure.stage) {
        attempt = 1
        deadlineMs = clock.monoMs() + settings.retryTimeoutMs
      }
      failure = outcome
    }
    const { stage, error } = failure
    this.report(stage.name, stage.className, error, describe)
    if (this.toleratesAll) return false
    throw new ConnectError(
      `Tolerance exceeded in error handler: stage ${stage.name} of class ${stage.className}: ${error.message}`,
      { cause: error },
    )
  }

  /** False: it is not retriable, the time is over, or the task is to stop. */
  async #waitsForRetry(error: Error, attempt: number, deadlineMs: number): Promise<boolean> {
    const { clock, signal } = this.#options
    const leftMs = deadlineMs - clock.monoMs()
    if (!(error instanceof RetriableConnectError) || leftMs <= 0) return false
    await sleep(clock, Math.min(leftMs, this.#delayMs(attempt)), signal)
    return !signal.aborted
  }

  #delayMs(attempt: number): number {
    const { settings, random } = this.#options
    const delayMs = FIRST_DELAY_MS * 2 ** Math.min(attempt - 1, MAX_DOUBLINGS)
    if (delayMs <= settings.retryDelayMaxMs) return delayMs
    return settings.retryDelayMaxMs === 0 ? 0 : random.below(Math.ceil(settings.retryDelayMaxMs))
  }
}
