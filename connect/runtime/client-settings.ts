import { ConfigError } from '../../src/base/errors.ts'
import { clientConfigDefs } from '../../src/client/index.ts'
import type { Properties } from '../api.ts'
import { withPrefix } from '../plugin-facts.ts'
import type { ConnectorConfig } from './connector-config.ts'
import type { WorkerConfig } from './worker-config.ts'

const INT_MAX = '2147483647'
const LONG_MAX = '9223372036854775807'
/** Java settings that say nothing to this client, because a Connect client always has bytes. */
const WITHOUT_MEANING = new Set([
  'key.serializer',
  'value.serializer',
  'key.deserializer',
  'value.deserializer',
])
const PRINCIPAL_NAMES = new Set(['sasl.jaas.config', 'sasl.mechanism', 'security.protocol'])

/**
 * A source task's producer: nothing is given up, one request at a time, so order holds. Unlike in Kafka's worker,
 * `enable.idempotence` is left at the producer's default (true), so a leader that dies after it stored a batch makes no duplicates.
 */
export function producerSettings(
  worker: WorkerConfig,
  connector: ConnectorConfig,
  task: number,
): Properties {
  return settled({
    'bootstrap.servers': bootstrapOf(worker),
    'client.id': `connector-producer-${connector.name}-${task}`,
    acks: 'all',
    'max.in.flight.requests.per.connection': '1',
    'delivery.timeout.ms': INT_MAX,
    'max.block.ms': LONG_MAX,
    ...withPrefix(worker.properties, 'producer.'),
    ...overrides(worker, connector, 'producer.override.'),
  })
}

/** A sink task's consumer, in the group `connect-<name>`. Offsets are committed by the task only. */
export function consumerSettings(
  worker: WorkerConfig,
  connector: ConnectorConfig,
  task: number,
): Properties {
  return settled({
    'bootstrap.servers': bootstrapOf(worker),
    'client.id': `connector-consumer-${connector.name}-${task}`,
    'group.id': `connect-${connector.name}`,
    'enable.auto.commit': 'false',
    'auto.offset.reset': 'earliest',
    ...withPrefix(worker.properties, 'consumer.'),
    ...overrides(worker, connector, 'consumer.override.'),
  })
}

/** The worker's own admin client: its settings without a prefix. */
export function workerAdminSettings(worker: WorkerConfig): Properties {
  const names = [...clientConfigDefs.admin.keys.keys()]
  const given = names.flatMap((name) => {
    const value = worker.properties[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return { 'client.id': 'connect-standalone', ...Object.fromEntries(given) }
}

/** Throws `ConfigError` when the worker's policy does not let a connector change its clients so. */
export function checkOverrides(worker: WorkerConfig, connector: ConnectorConfig): void {
  for (const kind of ['producer', 'consumer', 'admin']) {
    overrides(worker, connector, `${kind}.override.`)
  }
}

function overrides(worker: WorkerConfig, connector: ConnectorConfig, prefix: string): Properties {
  const given = withPrefix(connector.properties, prefix)
  const policy = worker.config.string('connector.client.config.override.policy')
  const allowed = allowedBy(policy, worker)
  for (const name of Object.keys(given)) {
    if (allowed(name)) continue
    throw new ConfigError(
      `connector "${connector.name}": the policy ${policy} of this worker does not allow ${prefix}${name}`,
    )
  }
  return given
}

function allowedBy(policy: string, worker: WorkerConfig): (name: string) => boolean {
  const short = policy
    .slice(policy.lastIndexOf('.') + 1)
    .replace(/ConnectorClientConfigOverridePolicy$/, '')
  const list = worker.config.list('connector.client.config.override.allowlist')
  switch (short) {
    case 'All':
      return () => true
    case 'None':
      return () => false
    case 'Principal':
      return (name) => PRINCIPAL_NAMES.has(name)
    case 'Allowlist':
      return (name) => list.includes(name)
    default:
      throw new ConfigError(
        `connector.client.config.override.policy is "${policy}", expected All, None, Principal or Allowlist`,
      )
  }
}

function bootstrapOf(worker: WorkerConfig): string {
  return worker.config.list('bootstrap.servers').join(',')
}

function settled(properties: Properties): Properties {
  return Object.fromEntries(
    Object.entries(properties).filter(([name]) => !WITHOUT_MEANING.has(name)),
  )
}
