import type { TopicPlan } from '../plan/plan.ts'
import type { Stage } from '../run/stage.ts'

/** A stage in real time: a cluster that is up. */
export interface LiveStage extends Stage {
  /** Creates the topics and waits until every partition has its leader and all replicas in sync. */
  prepare(topics: readonly TopicPlan[]): Promise<void>
  /** Called when a client that crashed begins another life: its actor has to be started again. */
  onClientStart(listener: (name: string) => void): void
  /** A node that died or could not start again; null while all is well. */
  readonly failure: string | null
  close(): Promise<void>
}
