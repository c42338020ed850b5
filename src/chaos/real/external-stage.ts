import { createClient } from '../../client/index.ts'
import { ConfigError } from '../../base/errors.ts'
import { NodeClock } from '../../real/node-clock.ts'
import { NodeNetwork } from '../../real/node-network.ts'
import { NodeRandom } from '../../real/node-random.ts'
import type { Plan } from '../plan/plan.ts'
import { ProcessStage } from './process-stage.ts'
import type { NodeAddresses, StageNode } from './stage-node.ts'

const TIMEOUT_MS = 10_000

/**
 * A cluster that somebody else runs, by its bootstrap servers. Clients work on it and everything that they see is
 * checked; nothing is done to its nodes. The plan's topics are made, and removed at the end. Throws `ConfigError`
 * when one of them is there already, `TimeoutError` when nobody answers.
 */
export async function startExternalStage(
  plan: Plan,
  bootstrapServers: string,
): Promise<ProcessStage> {
  const client = createClient({
    bootstrapServers,
    clientId: 'administrator',
    ports: { clock: new NodeClock(), network: new NodeNetwork(), random: new NodeRandom() },
    properties: { 'default.api.timeout.ms': String(TIMEOUT_MS) },
  })
  const admin = client.admin()
  try {
    const { brokers } = await admin.describeCluster()
    const names = new Set((await admin.listTopics()).map(({ name }) => name))
    const taken = plan.topics.find(({ name }) => names.has(name))
    if (taken !== undefined) {
      throw new ConfigError(
        `the cluster at ${bootstrapServers} has a topic "${taken.name}" already: this run would mix with it`,
      )
    }
    const nodes = brokers.map(({ id, host, port }) => new ForeignNode(id, host, port))
    const stage = new ProcessStage({
      mode: 'kafka',
      plan,
      nodes,
      reach: 'clients-only',
      release: () => undefined,
    })
    await stage.start()
    return stage
  } finally {
    await client.close()
  }
}

/** A broker that is up, and that nothing can be done to. */
class ForeignNode implements StageNode {
  readonly id: number
  readonly name: string
  readonly isVoter = false
  readonly addresses: NodeAddresses
  readonly directory = ''
  readonly isUp = true
  readonly isPaused = false

  constructor(id: number, host: string, port: number) {
    this.id = id
    this.name = `n${id}`
    this.addresses = { host, client: { port, proxyPort: port }, controller: null }
  }

  start(): Promise<void> {
    return Promise.resolve()
  }

  kill(): Promise<void> {
    return Promise.resolve()
  }

  shutdown(): Promise<void> {
    return Promise.resolve()
  }

  pause(): void {}

  resume(): void {}

  abandon(): void {}
}
