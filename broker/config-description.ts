import type { ConfigKey } from '../src/base/config-def.ts'
import type { ConfigType, ConfigValue } from '../src/base/config-value.ts'
import {
  brokerConfigDef,
  clientMetricsConfigDef,
  groupConfigDef,
  topicConfigDef,
  type BrokerConfigSources,
} from './config.ts'
import { baseSettingOf, isDynamic } from './dynamic-config-rules.ts'
import { brokerSettingOf, brokerSynonymsOf } from './topic-config-synonyms.ts'

/** Where a value comes from (DescribeConfigs `configSource`). */
export const ConfigSource = {
  TOPIC: 1,
  DYNAMIC_BROKER: 2,
  DYNAMIC_DEFAULT_BROKER: 3,
  STATIC_BROKER: 4,
  DEFAULT: 5,
  BROKER_LOGGER: 6,
  CLIENT_METRICS: 7,
  GROUP: 8,
} as const

/** DescribeConfigs `configType`. */
const TYPE_CODES: Readonly<Record<ConfigType, number>> = {
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
}
const UNKNOWN_TYPE_CODE = 0

export interface ConfigSynonym {
  readonly name: string
  readonly value: string | null
  readonly source: number
}

export interface DescribedConfig {
  readonly name: string
  readonly value: string | null
  readonly readOnly: boolean
  readonly configSource: number
  readonly isDefault: boolean
  readonly isSensitive: boolean
  readonly synonyms: readonly ConfigSynonym[]
  readonly configType: number
}

const LONG_MAX = '9223372036854775807'
const LONG_MIN = '-9223372036854775808'

/** Every topic setting: the topic's own value, else the broker's, else the default. */
export function describeTopic(
  own: ReadonlyMap<string, string>,
  broker: BrokerConfigSources,
): readonly DescribedConfig[] {
  return publicKeys(topicConfigDef.keys.values()).map((key) => {
    const brokerName = brokerSettingOf(key.name)
    const ofBroker = brokerName === null ? [] : synonymsOf(brokerName, broker)
    const value = own.get(key.name)
    if (value === undefined) {
      const fallback = valueGivenTo(brokerName, broker) ?? textOf(key.defaultValue)
      return described(key, fallback, ofBroker, false)
    }
    const ownSynonym = { name: key.name, value, source: ConfigSource.TOPIC }
    return described(key, value, [ownSynonym, ...ofBroker], false)
  })
}

/** Every broker setting of a node, then those that were set while it runs under names that no setting has. */
export function describeBroker(broker: BrokerConfigSources): readonly DescribedConfig[] {
  const known = publicKeys(brokerConfigDef.keys.values()).map((key) => {
    const given = givenValues(key.name, broker)[0]?.value
    const value = given ?? textOf(key.defaultValue)
    return described(key, value, synonymsOf(key.name, broker), !isDynamic(key.name))
  })
  const dynamicNames = new Set([...broker.ofBroker.keys(), ...broker.ofCluster.keys()])
  const others = [...dynamicNames].filter((name) => !brokerConfigDef.keys.has(name))
  return [...known, ...others.map((name) => describedOther(name, givenValues(name, broker)))]
}

/** What is set for all brokers while the cluster runs, and nothing else. */
export function describeClusterDefault(broker: BrokerConfigSources): readonly DescribedConfig[] {
  return [...broker.ofCluster].map(([name, value]) => {
    const synonyms = [{ name, value, source: ConfigSource.DYNAMIC_DEFAULT_BROKER }]
    const key = brokerConfigDef.keys.get(name)
    return key === undefined
      ? describedOther(name, synonyms)
      : described(key, value, synonyms, !isDynamic(name))
  })
}

/** Every setting of a group: its own value, else that of the broker's setting `group.NAME`, else the default. */
export function describeGroup(
  own: ReadonlyMap<string, string>,
  broker: BrokerConfigSources,
): readonly DescribedConfig[] {
  return publicKeys(groupConfigDef.keys.values()).map((key) => {
    const brokerName = `group.${key.name}`
    const fallback = textOf(key.defaultValue)
    const ofBroker = brokerConfigDef.keys.has(brokerName)
      ? synonymsOf(brokerName, broker)
      : synonymOf(key.name, fallback, ConfigSource.DEFAULT)
    const value = own.get(key.name)
    if (value === undefined) {
      return described(key, ofBroker[0]?.value ?? fallback, ofBroker, false)
    }
    const ownSynonym = { name: key.name, value, source: ConfigSource.GROUP }
    return described(key, value, [ownSynonym, ...ofBroker], false)
  })
}

/** Every setting of a client metrics subscription; one that was never made has the defaults. */
export function describeClientMetrics(
  own: ReadonlyMap<string, string>,
): readonly DescribedConfig[] {
  return publicKeys(clientMetricsConfigDef.keys.values()).map((key) => {
    const value = own.get(key.name) ?? null
    const synonyms = synonymOf(key.name, value, ConfigSource.CLIENT_METRICS)
    return described(key, value ?? textOf(key.defaultValue), synonyms, false)
  })
}

/** One logger of a broker. */
export function describeLogger(name: string, level: string): DescribedConfig {
  return {
    name,
    value: level,
    readOnly: false,
    configSource: ConfigSource.BROKER_LOGGER,
    isDefault: false,
    isSensitive: false,
    synonyms: [],
    configType: UNKNOWN_TYPE_CODE,
  }
}

/**
 * What was given under any name of the setting, then the defaults. Kafka leaves out what stands before the
 * first entry under the setting's own name, so one that is set in hours only shows nothing in milliseconds.
 */
function synonymsOf(brokerName: string, broker: BrokerConfigSources): readonly ConfigSynonym[] {
  const names = brokerSynonymsOf(brokerName).map(({ name }) => name)
  const all = names.flatMap((name) => givenValues(name, broker))
  all.sort((left, right) => left.source - right.source)
  for (const name of names) {
    const value = textOf(brokerConfigDef.keys.get(name)?.defaultValue)
    all.push(...synonymOf(name, value, ConfigSource.DEFAULT))
  }
  const first = all.findIndex(({ name }) => name === brokerName)
  return first === -1 ? [] : all.slice(first)
}

/** The values that a broker setting was given, the strongest first; without the default. */
function givenValues(name: string, broker: BrokerConfigSources): ConfigSynonym[] {
  return [
    ...synonymOf(name, broker.ofBroker.get(name), ConfigSource.DYNAMIC_BROKER),
    ...synonymOf(name, broker.ofCluster.get(name), ConfigSource.DYNAMIC_DEFAULT_BROKER),
    ...synonymOf(name, broker.ofFile[name], ConfigSource.STATIC_BROKER),
  ]
}

function synonymOf(
  name: string,
  value: string | null | undefined,
  source: number,
): ConfigSynonym[] {
  return value === null || value === undefined ? [] : [{ name, value, source }]
}

/** The value that the broker gives a topic setting, in the topic's unit; null when it gives none. */
function valueGivenTo(brokerName: string | null, broker: BrokerConfigSources): string | null {
  if (brokerName === null) return null
  for (const { name, unitMs } of brokerSynonymsOf(brokerName)) {
    const text = givenValues(name, broker)[0]?.value ?? null
    if (text !== null) {
      return unitMs === null || unitMs === 1 ? text : String(Number(text) * unitMs)
    }
  }
  return null
}

function publicKeys(keys: Iterable<ConfigKey>): readonly ConfigKey[] {
  return [...keys].filter((key) => !key.isInternal)
}

function described(
  key: ConfigKey,
  value: string | null,
  synonyms: readonly ConfigSynonym[],
  readOnly: boolean,
): DescribedConfig {
  const isSensitive = key.type === 'password'
  const source = synonyms[0]?.source ?? ConfigSource.DEFAULT
  return {
    name: key.name,
    value: isSensitive ? null : value,
    readOnly,
    configSource: source,
    isDefault: source === ConfigSource.DEFAULT,
    isSensitive,
    synonyms: isSensitive ? withoutValues(synonyms) : synonyms,
    configType: TYPE_CODES[key.type],
  }
}

/** A name that no setting has, or a setting of one listener. What is not known may be a secret. */
function describedOther(name: string, synonyms: readonly ConfigSynonym[]): DescribedConfig {
  const key = brokerConfigDef.keys.get(baseSettingOf(name))
  if (key !== undefined) {
    return { ...described(key, synonyms[0]?.value ?? null, synonyms, !isDynamic(name)), name }
  }
  const source = synonyms[0]?.source ?? ConfigSource.DEFAULT
  return {
    name,
    value: null,
    readOnly: true,
    configSource: source,
    isDefault: false,
    isSensitive: true,
    synonyms: withoutValues(synonyms),
    configType: UNKNOWN_TYPE_CODE,
  }
}

function withoutValues(synonyms: readonly ConfigSynonym[]): readonly ConfigSynonym[] {
  return synonyms.map((synonym) => ({ ...synonym, value: null }))
}

function textOf(value: ConfigValue | undefined): string | null {
  if (value === null || value === undefined) return null
  if (value === Infinity) return LONG_MAX
  if (value === -Infinity) return LONG_MIN
  return typeof value === 'object' ? value.join(',') : String(value)
}
