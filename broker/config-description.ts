import type { Config, ConfigKey } from '../src/base/config-def.ts'
import type { ConfigType, ConfigValue } from '../src/base/config-value.ts'
import { brokerConfigDef, topicConfigDef } from './config.ts'
import { brokerSettingOf, brokerSynonymsOf } from './topic-config-synonyms.ts'

/** Where a value comes from (DescribeConfigs `configSource`). */
export const ConfigSource = { TOPIC: 1, STATIC_BROKER: 4, DEFAULT: 5 } as const

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
  broker: Config,
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

/** Every broker setting of a node; nothing can be changed while it runs yet, so all are read-only. */
export function describeBroker(broker: Config): readonly DescribedConfig[] {
  return publicKeys(brokerConfigDef.keys.values()).map((key) => {
    const value = broker.originals[key.name] ?? textOf(key.defaultValue)
    return described(key, value, synonymsOf(key.name, broker), true)
  })
}

/**
 * What was given under any name of the setting, then the defaults. Kafka leaves out what stands before the
 * first entry under the setting's own name, so one that is set in hours only shows nothing in milliseconds.
 */
function synonymsOf(brokerName: string, broker: Config): readonly ConfigSynonym[] {
  const names = brokerSynonymsOf(brokerName).map(({ name }) => name)
  const all: ConfigSynonym[] = []
  for (const name of names) {
    const value = broker.originals[name]
    if (value !== undefined) all.push({ name, value, source: ConfigSource.STATIC_BROKER })
  }
  for (const name of names) {
    const value = textOf(brokerConfigDef.keys.get(name)?.defaultValue)
    if (value !== null) all.push({ name, value, source: ConfigSource.DEFAULT })
  }
  const first = all.findIndex(({ name }) => name === brokerName)
  return first === -1 ? [] : all.slice(first)
}

/** The value that the broker's properties give a topic setting, in the topic's unit; null when none does. */
function valueGivenTo(brokerName: string | null, broker: Config): string | null {
  if (brokerName === null) return null
  for (const { name, unitMs } of brokerSynonymsOf(brokerName)) {
    const text = broker.originals[name]
    if (text !== undefined) {
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
    synonyms: isSensitive ? synonyms.map((synonym) => ({ ...synonym, value: null })) : synonyms,
    configType: TYPE_CODES[key.type],
  }
}

function textOf(value: ConfigValue | undefined): string | null {
  if (value === null || value === undefined) return null
  if (value === Infinity) return LONG_MAX
  if (value === -Infinity) return LONG_MIN
  return typeof value === 'object' ? value.join(',') : String(value)
}
