import type { Config, ConfigKey } from '../src/base/config-def.ts'
import type { ConfigType, ConfigValue } from '../src/base/config-value.ts'
import { brokerConfigDef, topicConfigDef } from './config.ts'
import { brokerSynonymsOf } from './topic-config-synonyms.ts'

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
    const synonyms: ConfigSynonym[] = []
    const ownText = own.get(key.name)
    if (ownText !== undefined) {
      synonyms.push({ name: key.name, value: ownText, source: ConfigSource.TOPIC })
    }
    for (const name of brokerSynonymsOf(key.name)) {
      const text = broker.originals[name]
      if (text !== undefined) {
        synonyms.push({ name, value: text, source: ConfigSource.STATIC_BROKER })
      }
    }
    const defaultName = brokerSynonymsOf(key.name)[0] ?? key.name
    synonyms.push({
      name: defaultName,
      value: textOf(key.defaultValue),
      source: ConfigSource.DEFAULT,
    })
    return described(key, synonyms, false)
  })
}

/** Every broker setting of a node; nothing can be changed while it runs yet, so all are read-only. */
export function describeBroker(broker: Config): readonly DescribedConfig[] {
  return publicKeys(brokerConfigDef.keys.values()).map((key) => {
    const synonyms: ConfigSynonym[] = []
    const given = broker.originals[key.name]
    if (given !== undefined) {
      synonyms.push({ name: key.name, value: given, source: ConfigSource.STATIC_BROKER })
    }
    if (key.defaultValue !== undefined) {
      const value = textOf(key.defaultValue)
      synonyms.push({ name: key.name, value, source: ConfigSource.DEFAULT })
    }
    return described(key, synonyms, true)
  })
}

function publicKeys(keys: Iterable<ConfigKey>): readonly ConfigKey[] {
  return [...keys].filter((key) => !key.isInternal)
}

function described(
  key: ConfigKey,
  synonyms: readonly ConfigSynonym[],
  readOnly: boolean,
): DescribedConfig {
  const isSensitive = key.type === 'password'
  const winner = synonyms[0]
  const source = winner?.source ?? ConfigSource.DEFAULT
  return {
    name: key.name,
    value: isSensitive ? null : (winner?.value ?? null),
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
