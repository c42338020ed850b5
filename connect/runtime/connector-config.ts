import { ConfigDef, type Config, type ConfigKey } from '../../src/base/config-def.ts'
import { ConfigError } from '../../src/base/errors.ts'
import { didYouMean } from '../../src/base/nearest-name.ts'
import type { ConnectorPlugin, Properties } from '../api.ts'
import { setting } from '../plugin-facts.ts'
import type { ErrorSettings } from './error-operator.ts'
import type { Plugins } from './plugins.ts'
import type { Voice } from './worker-event.ts'

const COMMON: readonly ConfigKey[] = [
  setting('name', 'string', undefined, 'high', 'non-empty string'),
  setting('connector.class', 'string', undefined, 'high', 'non-empty string'),
  setting('connector.plugin.version', 'string', null, 'medium'),
  setting('tasks.max', 'int', 1, 'high', '[1,...]'),
  setting('tasks.max.enforce', 'boolean', true, 'low'),
  setting('key.converter', 'class', null, 'low'),
  setting('value.converter', 'class', null, 'low'),
  setting('header.converter', 'class', null, 'low'),
  setting('key.converter.plugin.version', 'string', null, 'low'),
  setting('value.converter.plugin.version', 'string', null, 'low'),
  setting('header.converter.plugin.version', 'string', null, 'low'),
  setting('transforms', 'list', [], 'low'),
  setting('predicates', 'list', [], 'low'),
  setting('config.action.reload', 'string', 'restart', 'low', '[none, restart]'),
  setting('errors.retry.timeout', 'long', 0, 'medium'),
  setting('errors.retry.delay.max.ms', 'long', 60_000, 'medium', '[0,...]'),
  setting('errors.tolerance', 'string', 'none', 'medium', '[none, all]'),
  setting('errors.log.enable', 'boolean', false, 'medium'),
  setting('errors.log.include.messages', 'boolean', false, 'medium'),
]
const SINK = new ConfigDef([
  ...COMMON,
  setting('topics', 'list', [], 'high'),
  setting('topics.regex', 'string', '', 'high'),
  setting('errors.deadletterqueue.topic.name', 'string', '', 'medium'),
  setting('errors.deadletterqueue.topic.replication.factor', 'short', 3, 'medium'),
  setting('errors.deadletterqueue.context.headers.enable', 'boolean', false, 'medium'),
])
const SOURCE = new ConfigDef([
  ...COMMON,
  setting('topic.creation.groups', 'list', [], 'low'),
  setting(
    'exactly.once.support',
    'string',
    'requested',
    'medium',
    '(case insensitive) [requested, required]',
  ),
  setting('transaction.boundary', 'string', 'poll', 'medium', '[poll, interval, connector]'),
  setting('transaction.boundary.interval.ms', 'long', null, 'low', '[0,...]'),
  setting('offsets.storage.topic', 'string', null, 'low', 'non-empty string'),
])
const FREE_PREFIXES = [
  'key.converter.',
  'value.converter.',
  'header.converter.',
  'transforms.',
  'predicates.',
  'producer.override.',
  'consumer.override.',
  'admin.override.',
  'topic.creation.',
]

/** A connector's settings, checked. */
export interface ConnectorConfig {
  readonly name: string
  readonly plugin: ConnectorPlugin
  readonly config: Config
  readonly properties: Properties
  readonly maxTasks: number
  readonly errors: ErrorSettings
  /** Of a sink; empty when it has a pattern. */
  readonly topics: readonly string[]
  readonly topicsPattern: RegExp | null
}

/** Checks a connector's settings, and its own plugin's. Throws `ConfigError`, which names the connector. */
export function parseConnectorConfig(
  properties: Properties,
  plugins: Plugins,
  voice: Voice,
): ConnectorConfig {
  const name = properties.name?.trim() ?? ''
  try {
    return parse(properties, plugins, voice)
  } catch (error) {
    if (!(error instanceof ConfigError) || name === '') throw error
    throw new ConfigError(`connector "${name}": ${error.message}`)
  }
}

function parse(properties: Properties, plugins: Plugins, voice: Voice): ConnectorConfig {
  for (const name of ['name', 'connector.class']) {
    if ((properties[name] ?? '').trim() === '') {
      throw new ConfigError(`Connector config lacks "${name}", which has no default`)
    }
  }
  const className = (properties['connector.class'] ?? '').trim()
  const plugin = plugins.find(['source', 'sink'], className, 'connector.class')
  const def = plugin.kind === 'sink' ? SINK : SOURCE
  const config = def.parse(properties)
  const name = config.string('name')
  if (/\p{Cc}/u.test(name)) {
    throw new ConfigError('name must not have control characters')
  }
  plugin.config.parse(properties)
  refuseUnsupported(plugin.kind === 'sink', config, properties)
  warnOfNames(properties, [def, plugin.config], voice)
  const sink = plugin.kind === 'sink' ? topicsOf(config) : { topics: [], topicsPattern: null }
  return {
    name,
    plugin,
    config,
    properties,
    maxTasks: config.int('tasks.max'),
    errors: errorSettings(config),
    ...sink,
  }
}

function topicsOf(config: Config): Pick<ConnectorConfig, 'topics' | 'topicsPattern'> {
  const topics = config.list('topics').filter((topic) => topic !== '')
  const pattern = config.string('topics.regex')
  if (topics.length > 0 === (pattern !== '')) {
    throw new ConfigError(
      pattern === ''
        ? 'Must configure one of topics or topics.regex'
        : 'topics and topics.regex are mutually exclusive options, but both are set',
    )
  }
  if (pattern === '') return { topics, topicsPattern: null }
  try {
    return { topics: [], topicsPattern: new RegExp(`^(?:${pattern})$`) }
  } catch {
    throw new ConfigError(`topics.regex is "${pattern}", which is no regular expression`)
  }
}

/** What this version cannot do yet is refused, because ignoring it would lose records or promises. */
function refuseUnsupported(isSink: boolean, config: Config, properties: Properties): void {
  const names = Object.keys(properties)
  if (isSink && (properties['errors.deadletterqueue.topic.name'] ?? '').trim() !== '') {
    throw new ConfigError(
      'errors.deadletterqueue.topic.name is set, but this version has no dead letter queue yet',
    )
  }
  if (config.list('predicates').length > 0) {
    throw new ConfigError('predicates is set, but this version has no predicates yet')
  }
  const creation = names.find((each) => each.startsWith('topic.creation.'))
  if (!isSink && creation !== undefined) {
    throw new ConfigError(
      `${creation} is set, but this version does not create topics by rules yet`,
    )
  }
  if (properties['exactly.once.support']?.trim().toLowerCase() === 'required') {
    throw new ConfigError(
      'exactly.once.support is "required", which a standalone worker cannot give',
    )
  }
  const reference = Object.entries(properties).find(([, value]) => /\$\{[^}:]+:[^}]*\}/.test(value))
  if (reference !== undefined) {
    throw new ConfigError(
      `${reference[0]} refers to a config provider, but this worker has no config providers yet`,
    )
  }
}

function errorSettings(config: Config): ErrorSettings {
  const retryTimeoutMs = config.long('errors.retry.timeout')
  return {
    retryTimeoutMs: retryTimeoutMs < 0 ? Infinity : retryTimeoutMs,
    retryDelayMaxMs: config.long('errors.retry.delay.max.ms'),
    tolerance: config.string('errors.tolerance') === 'all' ? 'all' : 'none',
    isLogged: config.boolean('errors.log.enable'),
    logsMessages: config.boolean('errors.log.include.messages'),
  }
}

function warnOfNames(properties: Properties, defs: readonly ConfigDef[], voice: Voice): void {
  const known = new Set(defs.flatMap((def) => [...def.keys.keys()]))
  for (const name of Object.keys(properties)) {
    if (known.has(name) || FREE_PREFIXES.some((prefix) => name.startsWith(prefix))) continue
    voice.tell('setting.unknown', 'warn', `unknown setting "${name}"${didYouMean(name, known)}`)
  }
}
