import type { Clock } from '../../src/ports/clock.ts'
import type { Random } from '../../src/ports/random.ts'
import type { Converter, HeaderConverter, Properties, Transform } from '../api.ts'
import type { ErrorSettings } from './error-operator.ts'
import type { Voice } from './worker-event.ts'

/** A part of a plugin with its Java name, for messages. */
export interface Named<T> {
  readonly className: string
  readonly it: T
}

/** What source and sink tasks need alike. */
export interface TaskOptions {
  readonly connector: string
  readonly taskNumber: number
  readonly className: string
  /** Handed to the task at start. */
  readonly properties: Properties
  readonly keyConverter: Named<Converter>
  readonly valueConverter: Named<Converter>
  readonly headerConverter: Named<HeaderConverter>
  readonly transforms: readonly Named<Transform>[]
  readonly errors: ErrorSettings
  /** `offset.flush.interval.ms` */
  readonly commitIntervalMs: number
  /** `offset.flush.timeout.ms` */
  readonly commitTimeoutMs: number
  readonly clock: Clock
  readonly random: Random
  readonly voice: Voice
  /** Called once the task has started. */
  readonly onRunning: () => void
}

/** A task at work. */
export interface RunningTask {
  /** Resolves when everything is over; rejects with the reason when the task failed. */
  run(): Promise<void>
  /** Asks it to end; returns at once. */
  stop(): void
}
