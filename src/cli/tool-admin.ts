import { ConfigError } from '../base/errors.ts'
import type { Admin, Properties } from '../client/index.ts'
import { NodeClock } from '../real/node-clock.ts'
import { NodeNetwork } from '../real/node-network.ts'
import { NodeRandom } from '../real/node-random.ts'
import { named, ToolError } from './tool-errors.ts'

/** Where a tool's client begins, at brokers or at the quorum's controllers themselves, and its settings. */
export interface Connection {
  readonly to: 'brokers' | 'controllers'
  /** `host:port,host:port`. */
  readonly servers: string
  readonly properties: Properties
}

/**
 * An admin client. Settings that no client knows are ignored, as by Kafka's tools. Throws `ToolError` when it cannot
 * be made.
 */
export async function openAdmin({ servers, properties }: Connection): Promise<Admin> {
  // Loaded only now: a mistake on the command line and --help answer at once.
  const client = await import('../client/index.ts')
  const ports = { clock: new NodeClock(), network: new NodeNetwork(), random: new NodeRandom() }
  try {
    return new client.Admin({ ...properties, 'bootstrap.servers': servers }, ports)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ToolError(
      'Failed to create new KafkaAdminClient',
      'org.apache.kafka.common.KafkaException',
      { cause: error },
    )
  }
}

/** Carries out one action with an admin client, and closes it. */
export async function useAdmin<T>(
  admin: Admin,
  { to }: Connection,
  action: (admin: Admin) => Promise<T>,
): Promise<T> {
  try {
    if (to === 'controllers') await named('describeCluster', admin.cluster.useControllers())
    return await action(admin)
  } finally {
    await admin.close()
  }
}
