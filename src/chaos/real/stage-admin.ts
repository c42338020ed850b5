import { createClient, type Admin, type Client } from '../../client/index.ts'
import { AlterOperation, ConfigResourceType } from '../../client/admin-configs.ts'
import { ConfigError } from '../../base/errors.ts'
import type { Address } from '../../ports/network.ts'
import { NodeClock } from '../../real/node-clock.ts'
import { NodeNetwork } from '../../real/node-network.ts'
import { NodeRandom } from '../../real/node-random.ts'
import { electLeadersApi } from '../../wire/messages/43-elect-leaders.ts'
import type { Fault } from '../plan/fault.ts'
import type { TopicPlan } from '../plan/plan.ts'

const TIMEOUT_MS = 5000
const PREFERRED = 0

/** The administrator of a stage: makes the topics, and does what faults of section E ask for. */
export class StageAdmin {
  readonly #client: Client
  readonly #admin: Admin

  constructor(bootstrap: readonly Address[]) {
    this.#client = createClient({
      bootstrapServers: bootstrap.map(({ host, port }) => `${host}:${port}`).join(','),
      clientId: 'administrator',
      ports: { clock: new NodeClock(), network: new NodeNetwork(), random: new NodeRandom() },
      properties: {
        'request.timeout.ms': '2000',
        'default.api.timeout.ms': '20000',
        'reconnect.backoff.max.ms': '400',
      },
    })
    this.#admin = this.#client.admin()
  }

  async createTopics(topics: readonly TopicPlan[]): Promise<void> {
    await this.#admin.createTopics(topics)
  }

  /** A topic that a run brought along is removed from a cluster that goes on. */
  async deleteTopics(names: readonly string[]): Promise<void> {
    await this.#admin.deleteTopics(names)
  }

  async topicNames(): Promise<readonly string[]> {
    return (await this.#admin.listTopics()).map(({ name }) => name)
  }

  /** Carries the fault out once; what the cluster refuses is refused. */
  async carryOut(fault: Fault, topics: readonly TopicPlan[]): Promise<void> {
    const name = String(fault.params?.['topic'] ?? topics[0]?.name ?? '')
    switch (fault.kind) {
      case 'elect-preferred':
        await this.#admin.request(
          electLeadersApi,
          { electionType: PREFERRED, topicPartitions: null, timeoutMs: TIMEOUT_MS },
          'controller',
        )
        return
      case 'create-partitions':
        await this.#admin.createPartitions(name, Number(fault.params?.['count']))
        return
      case 'recreate-topic':
        await this.#admin.deleteTopics([name])
        await this.#admin.createTopics(topics.filter((topic) => topic.name === name))
        return
      case 'alter-topic':
        await this.#admin.configs.alter({ type: ConfigResourceType.TOPIC, name }, [
          {
            name: String(fault.params?.['name']),
            operation: AlterOperation.SET,
            value: String(fault.params?.['value']),
          },
        ])
        return
      default:
        throw new ConfigError(`"${fault.kind}" is nothing that an administrator does`)
    }
  }

  async close(): Promise<void> {
    await this.#client.close()
  }
}
