import { messageOf } from '../../src/base/errors.ts'

/** Kafka's names of the steps that a record goes through. */
export type StageName =
  | 'TRANSFORMATION'
  | 'KEY_CONVERTER'
  | 'VALUE_CONVERTER'
  | 'HEADER_CONVERTER'
  | 'KAFKA_PRODUCE'

/** One step; it changes `work`, or drops it by returning false. */
export interface Stage<Work> {
  readonly name: StageName
  /** Class that does the work, for messages. */
  readonly className: string
  apply(work: Work): boolean
}

/** A step that threw. */
export class StageFailure {
  readonly stage: Pick<Stage<unknown>, 'name' | 'className'>
  readonly error: Error
  /** Goes on from the failed step; what was done before is not done again. */
  readonly retry: () => boolean | StageFailure

  constructor(stage: StageFailure['stage'], thrown: unknown, retry: StageFailure['retry']) {
    this.stage = stage
    this.error = thrown instanceof Error ? thrown : new Error(messageOf(thrown))
    this.retry = retry
  }
}

/** Runs the steps in order: true when all were done, false when one dropped the record. */
export function runStages<Work>(
  stages: readonly Stage<Work>[],
  work: Work,
  from = 0,
): boolean | StageFailure {
  for (let at = from; at < stages.length; at += 1) {
    const stage = stages[at]
    if (stage === undefined) break
    try {
      if (!stage.apply(work)) return false
    } catch (error) {
      return new StageFailure(stage, error, () => runStages(stages, work, at))
    }
  }
  return true
}
