import { assert } from './assert.ts'
import {
  checkConfigValue,
  parseConfigValue,
  type ConfigType,
  type ConfigValue,
} from './config-value.ts'
import { ConfigError } from './errors.ts'
import { nearestName } from './nearest-name.ts'

/** One setting under Kafka's name. */
export interface ConfigKey {
  readonly name: string
  readonly type: ConfigType
  /** Undefined: there is no default and a value must be given. Null: the default is "not set". */
  readonly defaultValue: ConfigValue | undefined
  /** Kafka's text of the allowed values, or null. */
  readonly valid: string | null
  readonly importance: 'high' | 'medium' | 'low'
  readonly isInternal: boolean
}

/** A name that is no setting, with the nearest that is. */
export interface UnknownName {
  readonly name: string
  readonly nearest: string | null
}

/** A set of settings: parses properties as Kafka's ConfigDef does. */
export class ConfigDef {
  readonly keys: ReadonlyMap<string, ConfigKey>

  readonly #noun: string

  /** `noun` is what the settings are of, for messages. */
  constructor(keys: readonly ConfigKey[], noun = 'topic') {
    this.#noun = noun
    this.keys = new Map(keys.map((key) => [key.name, key]))
  }

  /** Throws `ConfigError` on a value that cannot be used or a required one that is missing. */
  parse(properties: Readonly<Record<string, string>>): Config {
    const values = new Map<string, ConfigValue>()
    for (const key of this.keys.values()) values.set(key.name, this.#valueOf(key, properties))
    return new Config(values, properties)
  }

  /** Why `text` cannot be the value of `name`; null when it can. */
  problemWith(name: string, text: string): string | null {
    const key = this.keys.get(name)
    if (key === undefined) return `Unknown ${this.#noun} config name: ${name}`
    const parsed = parseConfigValue(key.type, text)
    const broken =
      'problem' in parsed
        ? { shown: text, problem: parsed.problem }
        : checkConfigValue(key, parsed.value)
    return broken === null
      ? null
      : `Invalid value ${broken.shown} for configuration ${name}: ${broken.problem}`
  }

  unknownNames(properties: Readonly<Record<string, string>>): readonly UnknownName[] {
    return Object.keys(properties)
      .filter((name) => !this.keys.has(name))
      .map((name) => ({ name, nearest: nearestName(name, this.keys.keys()) }))
  }

  #valueOf(key: ConfigKey, properties: Readonly<Record<string, string>>): ConfigValue {
    const text = properties[key.name]
    if (text === undefined) {
      if (key.defaultValue === undefined) {
        throw new ConfigError(
          `Missing required configuration "${key.name}" which has no default value.`,
        )
      }
      return key.defaultValue
    }
    const problem = this.problemWith(key.name, text)
    if (problem !== null) throw new ConfigError(problem)
    const parsed = parseConfigValue(key.type, text)
    assert('value' in parsed, `${key.name} was checked before it is read`)
    return parsed.value
  }
}

/** Parsed settings. A getter of the wrong type, or a name that is no setting, is an assertion. */
export class Config {
  #values: ReadonlyMap<string, ConfigValue>
  #originals: Readonly<Record<string, string>>

  constructor(
    values: ReadonlyMap<string, ConfigValue>,
    originals: Readonly<Record<string, string>>,
  ) {
    this.#values = values
    this.#originals = originals
  }

  /** The text that was given, by name; settings left at their default are not in it. */
  get originals(): Readonly<Record<string, string>> {
    return this.#originals
  }

  /** Takes the settings of another: whoever holds this one and asks again sees them. For settings that change at run time. */
  become(other: Config): void {
    this.#values = other.#values
    this.#originals = other.#originals
  }

  isSet(name: string): boolean {
    return this.originals[name] !== undefined
  }

  value(name: string): ConfigValue {
    const value = this.#values.get(name)
    assert(value !== undefined, `${name} is not a setting`)
    return value
  }

  int(name: string): number {
    return this.#number(name)
  }

  long(name: string): number {
    return this.#number(name)
  }

  double(name: string): number {
    return this.#number(name)
  }

  /** A number, or null for a setting that is not set. */
  nullableNumber(name: string): number | null {
    return this.value(name) === null ? null : this.#number(name)
  }

  boolean(name: string): boolean {
    const value = this.value(name)
    assert(typeof value === 'boolean', `${name} is not a boolean`)
    return value
  }

  string(name: string): string {
    const value = this.value(name)
    assert(typeof value === 'string', `${name} is not a string`)
    return value
  }

  nullableString(name: string): string | null {
    return this.value(name) === null ? null : this.string(name)
  }

  /** The entries; empty when not set. */
  list(name: string): readonly string[] {
    const value = this.value(name)
    if (value === null) return []
    assert(typeof value === 'object', `${name} is not a list`)
    return value
  }

  #number(name: string): number {
    const value = this.value(name)
    assert(typeof value === 'number', `${name} is not a number`)
    return value
  }
}
