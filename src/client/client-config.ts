import { ConfigDef, type Config, type ConfigKey, type UnknownName } from '../base/config-def.ts'
import type { ConfigType, ConfigValue } from '../base/config-value.ts'
import { ConfigError } from '../base/errors.ts'

type Row = readonly [
  name: string,
  type: ConfigType,
  defaultValue: ConfigValue | undefined,
  valid?: string,
]

const COMMON: readonly Row[] = [
  ['bootstrap.servers', 'list', undefined, 'non-empty list'],
  ['client.id', 'string', ''],
  ['client.rack', 'string', ''],
  ['client.dns.lookup', 'string', 'use_all_dns_ips'],
  ['security.protocol', 'string', 'PLAINTEXT', '(case insensitive) [PLAINTEXT]'],
  ['metadata.max.age.ms', 'long', 300_000, '[0,...]'],
  ['metadata.recovery.strategy', 'string', 'rebootstrap', '(case insensitive) [none, rebootstrap]'],
  ['metadata.recovery.rebootstrap.trigger.ms', 'long', 300_000, '[0,...]'],
  ['reconnect.backoff.ms', 'long', 50, '[0,...]'],
  ['reconnect.backoff.max.ms', 'long', 1000, '[0,...]'],
  ['retry.backoff.ms', 'long', 100, '[0,...]'],
  ['retry.backoff.max.ms', 'long', 1000, '[0,...]'],
  ['request.timeout.ms', 'int', 30_000, '[0,...]'],
  ['default.api.timeout.ms', 'int', 60_000, '[0,...]'],
  ['socket.connection.setup.timeout.ms', 'long', 10_000, '[0,...]'],
  ['socket.connection.setup.timeout.max.ms', 'long', 30_000, '[0,...]'],
  ['connections.max.idle.ms', 'long', 540_000],
  ['send.buffer.bytes', 'int', 131_072, '[-1,...]'],
  ['receive.buffer.bytes', 'int', 32_768, '[-1,...]'],
]

const PRODUCER: readonly Row[] = [
  ['acks', 'string', 'all'],
  ['batch.size', 'int', 16_384, '[0,...]'],
  ['linger.ms', 'long', 5, '[0,...]'],
  ['buffer.memory', 'long', 33_554_432, '[0,...]'],
  ['max.block.ms', 'long', 60_000, '[0,...]'],
  ['max.request.size', 'int', 1_048_576, '[0,...]'],
  ['delivery.timeout.ms', 'int', 120_000, '[0,...]'],
  ['retries', 'int', 2_147_483_647, '[0,...,2147483647]'],
  ['max.in.flight.requests.per.connection', 'int', 5, '[1,...]'],
  ['enable.idempotence', 'boolean', true],
  ['compression.type', 'string', 'none', '[none, gzip, snappy, lz4, zstd]'],
  ['partitioner.ignore.keys', 'boolean', false],
  ['transactional.id', 'string', null, 'non-empty string'],
  ['transaction.timeout.ms', 'int', 60_000],
]

const CONSUMER: readonly Row[] = [
  ['group.id', 'string', null],
  ['group.instance.id', 'string', null, 'non-empty string'],
  ['group.protocol', 'string', 'classic', '(case insensitive) [classic]'],
  ['session.timeout.ms', 'int', 45_000],
  ['heartbeat.interval.ms', 'int', 3000],
  ['max.poll.interval.ms', 'int', 300_000, '[1,...]'],
  ['max.poll.records', 'int', 500, '[1,...]'],
  ['enable.auto.commit', 'boolean', true],
  ['auto.commit.interval.ms', 'int', 5000, '[0,...]'],
  ['auto.offset.reset', 'string', 'latest', '[latest, earliest, none]'],
  ['isolation.level', 'string', 'read_uncommitted', '[read_committed, read_uncommitted]'],
  ['fetch.min.bytes', 'int', 1, '[0,...]'],
  ['fetch.max.bytes', 'int', 52_428_800, '[0,...]'],
  ['fetch.max.wait.ms', 'int', 500, '[0,...]'],
  ['max.partition.fetch.bytes', 'int', 1_048_576, '[0,...]'],
  ['check.crcs', 'boolean', true],
  ['allow.auto.create.topics', 'boolean', true],
  ['exclude.internal.topics', 'boolean', true],
  [
    'partition.assignment.strategy',
    'list',
    [
      'org.apache.kafka.clients.consumer.RangeAssignor',
      'org.apache.kafka.clients.consumer.CooperativeStickyAssignor',
    ],
    'non-empty list',
  ],
]

export type ClientKind = 'producer' | 'consumer' | 'admin'

/** The settings of each kind of client, with the names, defaults and rules of Kafka's own clients. */
export const clientConfigDefs: Readonly<Record<ClientKind, ConfigDef>> = {
  producer: defOf([...COMMON, ...PRODUCER]),
  consumer: defOf([...COMMON, ...CONSUMER]),
  admin: defOf(COMMON),
}

export type Properties = Readonly<Record<string, string>>

/** Parsed settings, and the names among them that no client of this kind knows. */
export interface ClientConfig {
  readonly config: Config
  readonly unknownNames: readonly UnknownName[]
}

/** Parses settings given as Kafka clients take them. Throws `ConfigError` on a value that cannot be used. */
export function parseClientConfig(kind: ClientKind, properties: Properties): ClientConfig {
  const def = clientConfigDefs[kind]
  const config = def.parse(properties)
  if (kind === 'producer') checkProducer(config)
  if (kind === 'consumer') checkConsumer(config)
  return { config, unknownNames: def.unknownNames(properties) }
}

/** `acks` as the protocol's number. */
export function requiredAcks(config: Config): -1 | 0 | 1 {
  const acks = config.string('acks')
  if (acks === '0') return 0
  return acks === '1' ? 1 : -1
}

/**
 * Idempotence is on unless it was not asked for and another setting that was given rules it out
 * (ProducerConfig.postProcessAndValidateIdempotenceConfigs).
 */
export function isIdempotent(config: Config): boolean {
  return config.boolean('enable.idempotence') && idempotenceProblem(config) === null
}

/** `delivery.timeout.ms`; when it was not given, at least `linger.ms` and `request.timeout.ms` together. */
export function deliveryTimeoutMs(config: Config): number {
  const leastMs = config.long('linger.ms') + config.int('request.timeout.ms')
  const deliveryMs = config.int('delivery.timeout.ms')
  return config.isSet('delivery.timeout.ms') ? deliveryMs : Math.max(deliveryMs, leastMs)
}

function idempotenceProblem(config: Config): string | null {
  if (requiredAcks(config) !== -1) return 'acks must be "all"'
  if (config.int('retries') === 0) return 'retries must be above 0'
  if (config.int('max.in.flight.requests.per.connection') > 5) {
    return 'max.in.flight.requests.per.connection must be at most 5'
  }
  return null
}

function checkProducer(config: Config): void {
  const acks = config.string('acks')
  if (!['all', '-1', '0', '1'].includes(acks)) {
    throw new ConfigError(`acks is "${acks}", expected all, -1, 0 or 1`)
  }
  const problem = idempotenceProblem(config)
  const isAsked = config.isSet('enable.idempotence') && config.boolean('enable.idempotence')
  if (isAsked && problem !== null) {
    throw new ConfigError(`enable.idempotence is true, so ${problem}`)
  }
  if (config.nullableString('transactional.id') !== null && !isIdempotent(config)) {
    const why = problem ?? 'enable.idempotence must be true'
    throw new ConfigError(`transactional.id is set, so ${why}`)
  }
  const deliveryMs = config.int('delivery.timeout.ms')
  const leastMs = config.long('linger.ms') + config.int('request.timeout.ms')
  if (deliveryMs < leastMs && config.isSet('delivery.timeout.ms')) {
    throw new ConfigError(
      `delivery.timeout.ms is ${deliveryMs}, expected at least linger.ms + request.timeout.ms = ${leastMs}`,
    )
  }
}

function checkConsumer(config: Config): void {
  if (config.int('heartbeat.interval.ms') >= config.int('session.timeout.ms')) {
    throw new ConfigError('heartbeat.interval.ms must be lower than session.timeout.ms')
  }
}

function defOf(rows: readonly Row[]): ConfigDef {
  return new ConfigDef(rows.map(keyOf))
}

function keyOf([name, type, defaultValue, valid]: Row): ConfigKey {
  return { name, type, defaultValue, valid: valid ?? null, importance: 'medium', isInternal: false }
}
