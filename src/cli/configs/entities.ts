import type { ParsedOptions } from '../options/option-parser.ts'

/** What has settings, as `--entity-type` names it. */
export const ENTITY_TYPES: readonly string[] = [
  'topics',
  'clients',
  'users',
  'brokers',
  'ips',
  'client-metrics',
  'groups',
  'broker-loggers',
]

const FLAGS: readonly (readonly [flag: string, type: string])[] = [
  ['topic', 'topics'],
  ['client', 'clients'],
  ['user', 'users'],
  ['broker', 'brokers'],
  ['broker-logger', 'broker-loggers'],
  ['ip', 'ips'],
  ['client-metrics', 'client-metrics'],
  ['group', 'groups'],
]
const DEFAULT_FLAGS: readonly (readonly [flag: string, type: string])[] = [
  ['client-defaults', 'clients'],
  ['user-defaults', 'users'],
  ['broker-defaults', 'brokers'],
  ['ip-defaults', 'ips'],
]

export function hasEntityFlag(options: ParsedOptions): boolean {
  return [...FLAGS, ...DEFAULT_FLAGS].some(([name]) => options.has(name))
}

/** One, or `users` and `clients` in the order in which they were given. */
export function entityTypes(options: ParsedOptions): readonly string[] {
  const byFlag = [...FLAGS, ...DEFAULT_FLAGS].filter(([name]) => options.has(name))
  return [...options.values('entity-type'), ...byFlag.map(([, type]) => type)]
}

/** Beside the types, '' for the default entity; fewer than types when one is not named. */
export function entityNames(options: ParsedOptions): readonly string[] {
  const named = [...options.values('entity-name')]
  const byName = options.given
    .filter((name) => name === 'entity-name' || name === 'entity-default')
    .map((name) => (name === 'entity-name' ? (named.shift() ?? '') : ''))
  return [
    ...byName,
    ...FLAGS.flatMap(([name]) => options.value(name) ?? []),
    ...DEFAULT_FLAGS.filter(([name]) => options.has(name)).map(() => ''),
  ]
}

/** `topic` for `topics`. */
export function singular(type: string): string {
  return type.slice(0, -1)
}
