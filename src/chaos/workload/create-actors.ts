import { ConfigError } from '../../base/errors.ts'
import type { KafkajsPlan, WorkloadPlan } from '../plan/workload-plan.ts'
import type { Actor } from '../run/stage.ts'
import { createAdminActor } from './admin-actor.ts'
import { createConnectActor } from './connect-actor.ts'
import { createGroupActors } from './group-actor.ts'
import { createOffsetsWatcherActor } from './offsets-watcher-actor.ts'
import { createProducerActor } from './producer-actor.ts'
import { createReaderActor } from './reader-actor.ts'
import type { WorkloadContext } from './workload-actor.ts'

export interface CreateActorsContext extends WorkloadContext {
  /** Makes the actors of `kafkajs` plans, whose sandbox is no part of the core. */
  readonly createKafkajs?: (plan: KafkajsPlan, context: WorkloadContext) => readonly Actor[]
}

/**
 * The clients of one line of a plan. Each is on a machine of its own, named after it. Throws `ConfigError` for a
 * `kafkajs` plan without `createKafkajs`.
 */
export function createActors(plan: WorkloadPlan, context: CreateActorsContext): readonly Actor[] {
  switch (plan.kind) {
    case 'producer':
      return [createProducerActor(plan, context)]
    case 'reader':
      return [createReaderActor(plan, context)]
    case 'offsets-watcher':
      return [createOffsetsWatcherActor(plan, context)]
    case 'group':
      return createGroupActors(plan, context)
    case 'admin':
      return [createAdminActor(plan, context)]
    case 'connect':
      return [createConnectActor(plan, context)]
    case 'kafkajs':
      if (context.createKafkajs === undefined) {
        throw new ConfigError(`workload "${plan.name}" is of kafkajs, which cannot be made here`)
      }
      return context.createKafkajs(plan, context)
  }
}
