import { newClusterId } from '../../src/fixture/cluster-file.ts'
import { removeDirectory, temporaryDirectory } from '../../src/fixture/data-directory.ts'
import type { Plan } from '../../src/chaos/plan/plan.ts'
import { ProcessStage } from '../../src/chaos/real/process-stage.ts'
import { layOut, propertiesOf, type NodeLayout } from '../../src/chaos/real/stage-layout.ts'
import { jarsDirectory } from './jars.ts'
import { KafkaNode } from './kafka-node.ts'
import { findJava } from './requirements.ts'

export interface KafkaStageOptions {
  readonly env: NodeJS.ProcessEnv
  /** What takes long, for the person who waits. */
  readonly onNotice: (text: string) => void
}

/**
 * Starts the plan's cluster as Apache Kafka: the same layout, proxies, faults and watch as over Kafkette's processes.
 * Throws `MissingRequirementError` when Java or Maven is not there.
 */
export async function startKafkaStage(
  plan: Plan,
  { env, onNotice }: KafkaStageOptions,
): Promise<ProcessStage> {
  const java = findJava(env)
  const jars = await jarsDirectory(env, (directory) => {
    onNotice(`Maven fetches the jars of Apache Kafka into ${directory}, once`)
  })
  const directory = temporaryDirectory()
  const layouts = await layOut(plan, directory)
  const clusterId = newClusterId()
  const nodes = layouts.map(
    (layout) =>
      new KafkaNode({
        java,
        jars,
        layout,
        clusterId,
        properties: { ...propertiesOf(plan, layout, layouts), ...ownProperties(layout) },
        onDied: (reason) => stage.nodeDied(layout.name, reason),
      }),
  )
  const stage: ProcessStage = new ProcessStage({
    mode: 'kafka',
    plan,
    nodes,
    release: () => removeDirectory(directory),
  })
  await stage.start()
  return stage
}

/** Apache Kafka tells the quorum its controller listener itself: it has to be the proxy's address too. */
function ownProperties({ addresses }: NodeLayout): Readonly<Record<string, string>> {
  const { host, client, controller } = addresses
  const advertised = [`PLAINTEXT://${host}:${client.proxyPort}`]
  if (controller !== null) advertised.push(`CONTROLLER://${host}:${controller.proxyPort}`)
  return {
    'advertised.listeners': advertised.join(','),
    'share.coordinator.state.topic.min.isr': '1',
    'transaction.state.log.min.isr': '1',
  }
}
