import { ConfigDef, type Config, type ConfigKey } from '../../src/base/config-def.ts'
import { ConfigError } from '../../src/base/errors.ts'
import { didYouMean } from '../../src/base/nearest-name.ts'
import { clientConfigDefs } from '../../src/client/index.ts'
import type { Properties } from '../api.ts'
import { setting } from '../plugin-facts.ts'
import type { Voice } from './worker-event.ts'

const SIMPLE_HEADER_CONVERTER = 'org.apache.kafka.connect.storage.SimpleHeaderConverter'

/** Settings of every worker (Kafka's WorkerConfig). */
const COMMON: readonly ConfigKey[] = [
  setting('bootstrap.servers', 'list', undefined, 'high', 'non-empty list'),
  setting('client.dns.lookup', 'string', 'use_all_dns_ips', 'medium'),
  setting('key.converter', 'class', undefined, 'high'),
  setting('value.converter', 'class', undefined, 'high'),
  setting('header.converter', 'class', SIMPLE_HEADER_CONVERTER, 'low'),
  setting('key.converter.plugin.version', 'string', null, 'low'),
  setting('value.converter.plugin.version', 'string', null, 'low'),
  setting('header.converter.plugin.version', 'string', null, 'low'),
  setting('task.shutdown.graceful.timeout.ms', 'long', 5000, 'low'),
  setting('offset.flush.interval.ms', 'long', 60_000, 'low', '[1,...]'),
  setting('offset.flush.timeout.ms', 'long', 5000, 'low', '[1,...]'),
  setting('plugin.path', 'list', null, 'low'),
  setting(
    'plugin.discovery',
    'string',
    'hybrid_warn',
    'low',
    '(case insensitive) [only_scan, hybrid_warn, hybrid_fail, service_load]',
  ),
  setting('config.providers', 'list', [], 'low'),
  setting('connector.client.config.override.policy', 'string', 'All', 'medium'),
  setting('connector.client.config.override.allowlist', 'list', [], 'medium'),
  setting('topic.creation.enable', 'boolean', true, 'low'),
  setting('topic.tracking.enable', 'boolean', true, 'low'),
  setting('topic.tracking.allow.reset', 'boolean', true, 'low'),
  setting('metrics.sample.window.ms', 'long', 30_000, 'low', '[0,...]'),
  setting('metrics.num.samples', 'int', 2, 'low', '[1,...]'),
  setting('metrics.recording.level', 'string', 'INFO', 'low', '[INFO, DEBUG]'),
  setting('metric.reporters', 'list', [], 'low'),
  setting('listeners', 'list', ['http://:8083'], 'low'),
  setting('rest.advertised.host.name', 'string', null, 'low'),
  setting('rest.advertised.port', 'int', null, 'low'),
  setting('rest.advertised.listener', 'string', null, 'low'),
  setting('admin.listeners', 'list', null, 'low'),
  setting('rest.extension.classes', 'list', [], 'low'),
  setting('access.control.allow.origin', 'string', '', 'low'),
  setting('access.control.allow.methods', 'string', '', 'low'),
  setting('response.http.headers.config', 'string', '', 'low'),
  setting('ssl.client.auth', 'string', 'none', 'low', '[required, requested, none]'),
]

/** Settings of a standalone worker (Kafka's StandaloneConfig). */
export const STANDALONE_CONFIG = new ConfigDef([
  ...COMMON,
  setting('offset.storage.file.filename', 'string', undefined, 'high', 'non-empty string'),
])

/** Names that only a distributed worker has: known, but without effect here. */
const DISTRIBUTED_ONLY = new Set([
  'group.id',
  'session.timeout.ms',
  'rebalance.timeout.ms',
  'heartbeat.interval.ms',
  'exactly.once.source.support',
  'connect.protocol',
  'scheduled.rebalance.max.delay.ms',
  'worker.sync.timeout.ms',
  'worker.unsync.backoff.ms',
])
const DISTRIBUTED_PREFIXES = [
  'config.storage.',
  'offset.storage.',
  'status.storage.',
  'inter.worker.',
]
/** What follows is for a client, a converter, a provider or the REST server. */
const FREE_PREFIXES = [
  'producer.',
  'consumer.',
  'admin.',
  'key.converter.',
  'value.converter.',
  'header.converter.',
  'internal.key.converter',
  'internal.value.converter',
  'config.providers.',
  'listeners.https.',
  'admin.listeners.https.',
  'ssl.',
  'sasl.',
  'rest.extension.',
]
/** Given, they would change nothing: said, so that nobody waits for them. */
const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  listeners: 'this worker has no REST server yet',
  'admin.listeners': 'this worker has no REST server yet',
  'plugin.path': 'the built-in plugins are used, jar files are not loaded',
  'metric.reporters': 'this worker has no metrics yet',
}
/** Given and not empty, ignoring them would do harm. */
const REFUSED: Readonly<Record<string, string>> = {
  'config.providers': 'this worker has no config providers yet',
  'rest.extension.classes': 'this worker has no REST server yet',
}

/** A worker's settings, checked. */
export interface WorkerConfig {
  readonly config: Config
  readonly properties: Properties
}

/** Checks the settings of a standalone worker; warns about names that are none. Throws `ConfigError`. */
export function parseStandaloneConfig(properties: Properties, voice: Voice): WorkerConfig {
  const config = STANDALONE_CONFIG.parse(properties)
  for (const [name, why] of Object.entries(REFUSED)) {
    if (config.isSet(name) && config.list(name).length > 0) {
      throw new ConfigError(`${name} is set, but ${why}`)
    }
  }
  warnOfNames(properties, voice)
  for (const [name, why] of Object.entries(WITHOUT_EFFECT)) {
    if ((properties[name] ?? '').trim() === '') continue
    voice.tell('setting.ignored', 'info', `${name} has no effect: ${why}`)
  }
  return { config, properties }
}

function warnOfNames(properties: Properties, voice: Voice): void {
  const known = new Set([...STANDALONE_CONFIG.keys.keys(), ...clientConfigDefs.admin.keys.keys()])
  for (const name of Object.keys(properties)) {
    if (known.has(name) || FREE_PREFIXES.some((prefix) => name.startsWith(prefix))) continue
    const isDistributed =
      DISTRIBUTED_ONLY.has(name) || DISTRIBUTED_PREFIXES.some((prefix) => name.startsWith(prefix))
    const near = didYouMean(name, known)
    if (isDistributed && near === '') {
      voice.tell('setting.ignored', 'warn', `${name} is for distributed workers and has no effect`)
    } else if (isDistributed && DISTRIBUTED_ONLY.has(name)) {
      voice.tell('setting.ignored', 'warn', `${name} is for distributed workers and has no effect`)
    } else voice.tell('setting.unknown', 'warn', `unknown worker setting "${name}"${near}`)
  }
}
