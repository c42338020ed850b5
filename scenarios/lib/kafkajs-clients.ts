import { createKafkajsFactory, type KafkajsFactory } from '../../src/chaos/kafkajs/kafkajs-actor.ts'
import type { Plan } from '../../src/chaos/plan/plan.ts'
import type { KafkajsPlan } from '../../src/chaos/plan/workload-plan.ts'
import type { RunOptions } from '../../src/chaos/run/run-plan.ts'

/** What a run of the plan needs for its kafkajs clients; nothing when it has none, and kafkajs is not loaded then. */
export function kafkajsClients(plan: Plan): Pick<RunOptions, 'createKafkajs'> {
  if (plan.workload.every(({ kind }) => kind !== 'kafkajs')) return {}
  const create: KafkajsFactory = createKafkajsFactory()
  return { createKafkajs: (client, context) => [create(client, context)] }
}

/** A producer and a group of three members. */
export function kafkajs(shape: Partial<KafkajsPlan>): KafkajsPlan {
  return {
    kind: 'kafkajs',
    name: 'kafkajs',
    topic: 't',
    partitions: [0, 1, 2],
    groupId: 'g',
    members: 3,
    idempotent: true,
    everyMs: 40,
    ...shape,
  }
}
