import { isIP } from 'node:net'
import { parseInteger, duplicates } from '../java-values.ts'
import { flag, option, type OptionSpec, type ParsedOptions } from '../options/option-parser.ts'
import { forbidTogether } from '../options/option-rules.ts'
import { ToolError, UsageError } from '../tool-errors.ts'
import { ENTITY_TYPES, entityNames, entityTypes, hasEntityFlag } from './entities.ts'

/** These may be altered for all entities together. */
const TYPES_WITH_DEFAULTS: ReadonlySet<string> = new Set(['users', 'clients', 'brokers', 'ips'])

export const CONFIG_OPTIONS: readonly OptionSpec[] = [
  option('bootstrap-server', 'host:port of one or more brokers.', 'server to connect to'),
  option(
    'bootstrap-controller',
    'host:port of one or more controllers.',
    'controller to connect to',
  ),
  option(
    'command-config',
    'A properties file for the admin client.',
    'command config property file',
  ),
  flag('alter', 'Change settings.'),
  flag('describe', 'Show settings.'),
  flag('all', 'Show all settings, not only those that were set while the cluster runs.'),
  option('entity-type', `One of ${ENTITY_TYPES.join(', ')}.`, ''),
  option('entity-name', 'The entity of that type.', ''),
  flag('entity-default', 'All entities of that type (users, clients, brokers, ips).'),
  option(
    'add-config',
    "Settings to set: 'k1=v1,k2=[v1,v2],k3=v3', a value with commas in square brackets. Quotas of users and clients: " +
      'producer_byte_rate, consumer_byte_rate, request_percentage, controller_mutation_rate; credentials of users: ' +
      'SCRAM-SHA-256=[iterations=8192,password=...]; of ips: connection_creation_rate.',
    '',
  ),
  option('add-config-file', 'A properties file with settings to set.', ''),
  option('delete-config', "Settings to remove: 'k1,k2'.", '', { separator: ',' }),
  option('topic', 'A topic.', ''),
  option('client', 'A client id.', ''),
  flag('client-defaults', 'All clients.'),
  option('user', 'A user principal.', ''),
  flag('user-defaults', 'All users.'),
  option('broker', "A broker's id.", ''),
  flag('broker-defaults', 'All brokers.'),
  option('broker-logger', 'The id of the broker whose log levels are meant.', ''),
  option('ip', 'An address.', ''),
  flag('ip-defaults', 'All addresses.'),
  option('group', 'A group id.', ''),
  option('client-metrics', 'A subscription to client metrics.', ''),
]

/** The rules of kafka-configs.sh. Throws `UsageError`, `ToolError` and `OptionError`. */
export function checkConfigOptions(options: ParsedOptions): void {
  if (['alter', 'describe'].filter((name) => options.has(name)).length !== 1) {
    throw new UsageError('Command must include exactly one action: --describe, --alter')
  }
  forbidTogether(options, 'describe', ['add-config', 'delete-config'])
  const types = entityTypes(options)
  checkTypes(types)
  const isByType = ['entity-name', 'entity-type', 'entity-default'].some((name) =>
    options.has(name),
  )
  if (isByType && hasEntityFlag(options)) {
    throw new ToolError(
      '--entity-{type,name,default} should not be used in conjunction with specific entity flags',
    )
  }
  checkServers(options)
  checkNames(options, types)
  if (options.has('describe')) checkDescribe(options, types)
  if (options.has('alter')) checkAlter(options, types)
}

function checkTypes(types: readonly string[]): void {
  const repeated = duplicates(types)
  if (repeated.length > 0) {
    throw new ToolError(`Duplicate entity type(s) specified: ${repeated.join(',')}`)
  }
  const unknown = types.find((type) => !ENTITY_TYPES.includes(type))
  if (unknown !== undefined) {
    throw new ToolError(
      `Invalid entity type ${unknown}, the entity type must be one of ${ENTITY_TYPES.join(', ')} ` +
        'with a --bootstrap-server or --bootstrap-controller argument',
    )
  }
  if (types.length === 0) throw new ToolError('At least one entity type must be specified')
  if (types.length > 1 && types.some((type) => type !== 'users' && type !== 'clients')) {
    throw new ToolError("Only 'users' and 'clients' entity types may be specified together")
  }
}

function checkServers(options: ParsedOptions): void {
  const given = ['bootstrap-server', 'bootstrap-controller'].filter((name) => options.has(name))
  if (given.length === 0) {
    throw new ToolError('Either --bootstrap-server or --bootstrap-controller must be specified.')
  }
  if (given.length > 1) {
    throw new ToolError('Only one of --bootstrap-server or --bootstrap-controller can be specified')
  }
}

/** Brokers have numbers for names, addresses are addresses or host names. */
function checkNames(options: ParsedOptions, [type = '']: readonly string[]): void {
  const given = (flags: readonly string[]): readonly string[] =>
    ['entity-name', ...flags].flatMap((name) => options.value(name) ?? [])
  if (type === 'brokers' || type === 'broker-loggers') {
    for (const id of given(['broker', 'broker-logger'])) {
      if (id !== '' && !isInteger(id)) {
        throw new ToolError(
          `The entity name for ${type} must be a valid integer broker id, but it is: ${id}`,
        )
      }
    }
  }
  if (type !== 'ips') return
  for (const ip of given(['ip'])) {
    if (ip !== '' && isIP(ip) === 0 && !/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(ip)) {
      throw new ToolError(
        `The entity name for ${type} must be a valid IP or resolvable host, but it is: ${ip}`,
      )
    }
  }
}

function checkDescribe(options: ParsedOptions, types: readonly string[]): void {
  const hasDefaults = types.some((type) => TYPES_WITH_DEFAULTS.has(type))
  if (!hasDefaults && options.has('entity-default')) {
    throw new ToolError(
      `--entity-default must not be specified with --describe of ${types.join(',')}`,
    )
  }
  const isNamed = entityNames(options).some((name) => name !== '')
  if (types.includes('broker-loggers') && !isNamed) {
    throw new ToolError(`An entity name must be specified with --describe of ${types.join(',')}`)
  }
}

function checkAlter(options: ParsedOptions, types: readonly string[]): void {
  const names = entityNames(options)
  if (types.some((type) => TYPES_WITH_DEFAULTS.has(type))) {
    if (names.length === 0) {
      throw new ToolError(
        'An entity-name or default entity must be specified with --alter of users, clients, brokers or ips',
      )
    }
  } else if (names.every((name) => name === '')) {
    throw new ToolError(`An entity name must be specified with --alter of ${types.join(',')}`)
  }
  if (options.has('add-config') && options.has('add-config-file')) {
    throw new ToolError('Only one of --add-config or --add-config-file must be specified')
  }
  const changes = ['add-config', 'add-config-file', 'delete-config']
  if (!changes.some((name) => options.has(name))) {
    throw new ToolError(
      'At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter',
    )
  }
}

function isInteger(text: string): boolean {
  try {
    parseInteger(text)
    return true
  } catch {
    return false
  }
}
