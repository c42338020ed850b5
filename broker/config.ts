import { ConfigDef, type Config, type ConfigKey } from '../src/base/config-def.ts'
import { parseConfigValue, type ConfigType, type ConfigValue } from '../src/base/config-value.ts'
import { assert } from '../src/base/assert.ts'
import { CONFIG_ROWS, type ConfigRow } from './config-keys.ts'

/** Settings that Kafka does not have; internal, so that no tool is told of them. */
const OWN_ROWS: readonly ConfigRow[] = [
  // The release that clients are to see, as "2.8"; none: all that is served.
  ['broker', 'kafkette.protocol.version', 'string', null, null, 'low', true],
]

/** Every broker setting of Kafka 4.4, with its type, default and allowed values. */
export const brokerConfigDef = configDefOf('broker')

/** Every topic setting of Kafka 4.4. */
export const topicConfigDef = configDefOf('topic')

/** Every setting of a group (KIP-848 and its relatives) in Kafka 4.4. */
export const groupConfigDef = configDefOf('group')

/** Every setting of a client metrics subscription (KIP-714). */
export const clientMetricsConfigDef = configDefOf('client-metrics')

/** Where the values of a broker's settings come from, the strongest first. */
export interface BrokerConfigSources {
  /** Set for this broker while the cluster runs. */
  readonly ofBroker: ReadonlyMap<string, string>
  /** Set for all brokers while the cluster runs. */
  readonly ofCluster: ReadonlyMap<string, string>
  /** Of its properties when it started. */
  readonly ofFile: Readonly<Record<string, string>>
}

/** Parses a node's properties; throws `ConfigError`. Unknown names are for the caller to warn about. */
export function parseBrokerConfig(properties: Readonly<Record<string, string>>): Config {
  return brokerConfigDef.parse(properties)
}

function configDefOf(scope: string): ConfigDef {
  const rows = [...CONFIG_ROWS, ...OWN_ROWS].filter((row) => row[0] === scope)
  return new ConfigDef(rows.map(configKeyOf), scope)
}

function configKeyOf(row: ConfigRow): ConfigKey {
  const [, name, type, given, valid, importance, isInternal] = row
  return {
    name,
    type: type as ConfigType,
    defaultValue: defaultOf(type as ConfigType, given),
    valid,
    importance: importance as ConfigKey['importance'],
    isInternal,
  }
}

function defaultOf(type: ConfigType, given: ConfigRow[3]): ConfigValue | undefined {
  if (given === '(required)') return undefined
  if (given === '(max)') return Infinity
  if (type !== 'list' || given === null) return given
  const parsed = parseConfigValue(type, String(given))
  assert('value' in parsed, 'the text of a list can always be read')
  return parsed.value
}
