import { ErrorCode } from '../src/wire/error-codes.ts'
import type { ConfigDef } from '../src/base/config-def.ts'
import type { Config } from '../src/base/config-def.ts'
import {
  brokerConfigDef,
  clientMetricsConfigDef,
  groupConfigDef,
  topicConfigDef,
  type BrokerConfigSources,
} from './config.ts'
import { describeTopic } from './config-description.ts'
import type { ConfigProblem, ConfigRules } from './controller/control-context.ts'
import { ResourceType } from './metadata/configs-image.ts'

type Values = ReadonlyMap<string, string>

const MIN_PUSH_INTERVAL_MS = 100
const MAX_PUSH_INTERVAL_MS = 3_600_000
const MATCH_KEYS: ReadonlySet<string> = new Set([
  'client_instance_id',
  'client_id',
  'client_software_name',
  'client_software_version',
  'client_source_address',
  'client_source_port',
])

/** What the controller must know of settings, from the tables of this node and its own settings of now. */
export function configRules(config: Config, sources: BrokerConfigSources): ConfigRules {
  return {
    problemWith: (resourceType, values) => problemWith(config, resourceType, values),
    listDefault: (resourceType, name) => {
      const key = listDefOf(resourceType)?.keys.get(name)
      if (key?.type !== 'list') return null
      return typeof key.defaultValue === 'object' && key.defaultValue !== null
        ? key.defaultValue
        : []
    },
    describeTopic: (overrides) =>
      describeTopic(overrides, sources)
        .map(({ name, value, readOnly, configSource, isSensitive }) => ({
          name,
          value,
          readOnly,
          configSource,
          isSensitive,
        }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
  }
}

/** Lists of client metrics can only be set as a whole, as in Kafka. */
function listDefOf(resourceType: number): ConfigDef | null {
  if (resourceType === ResourceType.TOPIC) return topicConfigDef
  if (resourceType === ResourceType.GROUP) return groupConfigDef
  return resourceType === ResourceType.BROKER ? brokerConfigDef : null
}

function problemWith(config: Config, resourceType: number, values: Values): ConfigProblem | null {
  switch (resourceType) {
    case ResourceType.TOPIC:
      return problemWithTopic(config, values)
    case ResourceType.BROKER:
      return problemWithBroker(values)
    case ResourceType.GROUP:
      return problemWithGroup(config, values)
    case ResourceType.CLIENT_METRICS:
      return problemWithClientMetrics(values)
    default:
      return invalidConfig(`Settings of resource type ${resourceType} are not served`)
  }
}

function invalidConfig(message: string): ConfigProblem {
  return { errorCode: ErrorCode.INVALID_CONFIG, message }
}

function problemWithEach(def: ConfigDef, values: Values): ConfigProblem | null {
  for (const [name, value] of values) {
    const problem = def.problemWith(name, value)
    if (problem !== null) return invalidConfig(problem)
  }
  return null
}

function problemWithTopic(config: Config, values: Values): ConfigProblem | null {
  const problem = problemWithEach(topicConfigDef, values)
  if (problem !== null) return problem
  const minLag =
    values.get('min.compaction.lag.ms') ?? String(config.long('log.cleaner.min.compaction.lag.ms'))
  const maxLag =
    values.get('max.compaction.lag.ms') ?? String(config.long('log.cleaner.max.compaction.lag.ms'))
  if (Number(minLag) > Number(maxLag)) {
    return invalidConfig(
      `conflict topic config setting min.compaction.lag.ms (${minLag}) > max.compaction.lag.ms (${maxLag})`,
    )
  }
  const isTiered = values.get('remote.storage.enable')?.trim().toLowerCase() === 'true'
  if (!isTiered) return null
  return invalidConfig(
    'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.',
  )
}

/** The broker that a change is for has checked it; names that no setting has are for its plugins. */
function problemWithBroker(values: Values): ConfigProblem | null {
  const known = new Map([...values].filter(([name]) => brokerConfigDef.keys.has(name)))
  return problemWithEach(brokerConfigDef, known)
}

/** Beside its own rules, a value must be within what the brokers allow: `group.consumer.min.session.timeout.ms`. */
function problemWithGroup(config: Config, values: Values): ConfigProblem | null {
  const problem = problemWithEach(groupConfigDef, values)
  if (problem !== null) return problem
  for (const [name, value] of values) {
    const low = boundName(name, 'min')
    if (low !== null && Number(value) < config.long(low)) {
      return invalidConfig(`${name} must be greater than or equal to ${low}`)
    }
    const high = boundName(name, 'max')
    if (high !== null && Number(value) > config.long(high)) {
      return invalidConfig(`${name} must be less than or equal to ${high}`)
    }
  }
  return null
}

/** The broker setting that bounds a setting of a group; null when there is none. */
function boundName(name: string, end: 'min' | 'max'): string | null {
  const dot = name.indexOf('.')
  const [kind, rest] = [name.slice(0, dot), name.slice(dot + 1)]
  const candidates = [rest, rest.replace(/^num\./, '')].map(
    (tail) => `group.${kind}.${end}.${tail}`,
  )
  return candidates.find((candidate) => brokerConfigDef.keys.has(candidate)) ?? null
}

function problemWithClientMetrics(values: Values): ConfigProblem | null {
  const invalidRequest = (message: string): ConfigProblem => ({
    errorCode: ErrorCode.INVALID_REQUEST,
    message,
  })
  for (const name of values.keys()) {
    if (clientMetricsConfigDef.keys.has(name)) continue
    return invalidRequest(`Unknown client metrics configuration: ${name}`)
  }
  const problem = problemWithEach(clientMetricsConfigDef, values)
  if (problem !== null) return problem
  const interval = values.get('interval.ms')
  const intervalMs = Number(interval ?? MIN_PUSH_INTERVAL_MS)
  if (intervalMs < MIN_PUSH_INTERVAL_MS || intervalMs > MAX_PUSH_INTERVAL_MS) {
    return invalidRequest(
      `Invalid value ${interval} for interval.ms, interval must be between ` +
        `${MIN_PUSH_INTERVAL_MS} and ${MAX_PUSH_INTERVAL_MS} (1 hour)`,
    )
  }
  const patterns = (values.get('match') ?? '').split(',').filter((pattern) => pattern !== '')
  const illegal = patterns.find((pattern) => !isMatchPattern(pattern.trim()))
  return illegal === undefined ? null : invalidConfig(`Illegal client matching pattern: ${illegal}`)
}

/** `client_id=REGEX` and the like. */
function isMatchPattern(pattern: string): boolean {
  const [key = '', regex = '', ...rest] = pattern.split('=')
  if (!MATCH_KEYS.has(key.trim()) || regex.trim() === '' || rest.length > 0) return false
  try {
    return new RegExp(regex.trim(), 'u').source !== ''
  } catch {
    return false
  }
}
