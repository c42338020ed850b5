import type { ConfigKey } from '../src/base/config-def.ts'
import type { ConfigType, ConfigValue } from '../src/base/config-value.ts'

/** The version that the built-in plugins tell: that of the Apache Kafka whose behaviour they have. */
export const CONNECT_VERSION = '4.3.1'

/** One row of a settings table. `defaultValue` undefined: a value must be given. */
export function setting(
  name: string,
  type: ConfigType,
  defaultValue: ConfigValue | undefined,
  importance: ConfigKey['importance'] = 'medium',
  valid: string | null = null,
): ConfigKey {
  return { name, type, defaultValue, valid, importance, isInternal: false }
}

/** The settings whose names begin with `prefix`, without it. */
export function withPrefix(
  properties: Readonly<Record<string, string>>,
  prefix: string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([name]) => name.startsWith(prefix) && name.length > prefix.length)
      .map(([name, value]) => [name.slice(prefix.length), value]),
  )
}
