import type { KafkajsPlan } from '../plan/workload-plan.ts'
import type { Actor } from '../run/stage.ts'
import { WorkloadActor, type WorkloadContext } from '../workload/workload-actor.ts'
import { CommonjsPackage } from './commonjs-package.ts'
import { addCodecs } from './kafkajs-codecs.ts'
import { KafkajsLife, type KafkajsExports } from './kafkajs-life.ts'
import { SANDBOX_GLOBALS, sandboxNames } from './sandbox-globals.ts'
import { SandboxProcess } from './sandbox-process.ts'

/** Makes the kafkajs actors of plans; holds nothing but compiled code, so one serves all runs of a process. */
export type KafkajsFactory = (plan: KafkajsPlan, context: WorkloadContext) => Actor

/** Throws when kafkajs is not installed. */
export function createKafkajsFactory(): KafkajsFactory {
  const library = new CommonjsPackage('kafkajs', SANDBOX_GLOBALS)
  return (plan, context) =>
    new WorkloadActor(plan.name, context, (life) => {
      const program = new SandboxProcess(life.ports)
      const kafkajs = library.instantiate(sandboxNames(program.ports)) as KafkajsExports
      addCodecs(kafkajs)
      return new KafkajsLife(plan, life, { kafkajs, exit: () => program.exit() })
    })
}
