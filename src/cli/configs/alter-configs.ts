import { AlterOperation, type Admin } from '../../client/index.ts'
import type { ToolIo } from '../kafka-tool.ts'
import type { ParsedOptions } from '../options/option-parser.ts'
import { named, ToolError } from '../tool-errors.ts'
import { configsToAdd, configsToDelete } from './config-changes.ts'
import { describeEntity, resourceTypeOf } from './describe-configs.ts'
import { entityNames, entityTypes, singular } from './entities.ts'
import { alterQuotas, CLIENT_QUOTAS, IP_QUOTAS } from './quota-entities.ts'
import { alterScram, isScram } from './scram.ts'

interface Changes {
  readonly types: readonly string[]
  readonly names: readonly string[]
  readonly added: ReadonlyMap<string, string>
  readonly deleted: readonly string[]
}

/** `configs --alter`. */
export async function alterConfigs(
  admin: Admin,
  options: ParsedOptions,
  io: ToolIo,
): Promise<void> {
  const types = entityTypes(options)
  const names = entityNames(options)
  if (types.length !== names.length) {
    throw new ToolError('An entity name must be specified for every entity type')
  }
  const changes = { types, names, added: configsToAdd(options), deleted: configsToDelete(options) }
  const [type = ''] = types
  const [name = ''] = names
  if (type === 'users' || type === 'clients') await alterClient(admin, changes)
  else if (type === 'ips') await alterIp(admin, changes)
  else await alterResource(admin, changes)
  io.out(
    name === ''
      ? `Completed updating default config for ${type} in the cluster.`
      : `Completed updating config for ${singular(type)} ${name}.`,
  )
}

async function alterResource(
  admin: Admin,
  { types, names, added, deleted }: Changes,
): Promise<void> {
  const [type = ''] = types
  const [name = ''] = names
  if (type === 'broker-loggers') await checkLoggers(admin, name, [...deleted, ...added.keys()])
  const alterations = [
    ...[...added].map(([key, value]) => ({ name: key, operation: AlterOperation.SET, value })),
    ...deleted.map((key) => ({ name: key, operation: AlterOperation.DELETE, value: '' })),
  ]
  const resource = { type: resourceTypeOf(type), name }
  await named('incrementalAlterConfigs', admin.configResources.alter([{ resource, alterations }]))
}

async function checkLoggers(
  admin: Admin,
  broker: string,
  wanted: readonly string[],
): Promise<void> {
  const scope = { admin, isController: false, isAll: false }
  const known = await describeEntity(scope, 'broker-loggers', broker)
  const unknown = wanted.filter((logger) => !known.some(({ name }) => name === logger))
  if (unknown.length > 0) throw new ToolError(`Invalid broker logger(s): ${unknown.join(',')}`)
}

async function alterIp(admin: Admin, { types, names, added, deleted }: Changes): Promise<void> {
  const unknown = [...added.keys(), ...deleted].filter((key) => !IP_QUOTAS.includes(key))
  if (unknown.length > 0) {
    throw new ToolError(
      "Only connection quota configs can be added for 'ips' using --bootstrap-server. " +
        `Unexpected config names: ${unknown.join(',')}`,
    )
  }
  await alterQuotas(admin, types, names, added, deleted)
}

/** Users and clients have quotas, users alone have credentials; not both in one go. */
async function alterClient(admin: Admin, changes: Changes): Promise<void> {
  const { types, names, added, deleted } = changes
  checkClientChanges(changes)
  const isQuotas = [...added.keys(), ...deleted].some((key) => CLIENT_QUOTAS.includes(key))
  if (isQuotas) await alterQuotas(admin, types, names, added, deleted)
  else await alterScram(admin, names[0] ?? '', added, deleted)
}

function checkClientChanges({ types, names, added, deleted }: Changes): void {
  const isUserAlone = types[0] === 'users' && types.length === 1
  const isAllowed = (key: string): boolean =>
    CLIENT_QUOTAS.includes(key) || (isUserAlone && isScram(key))
  const what = isUserAlone ? 'quota and SCRAM credential configs' : 'quota configs'
  const refuse = (done: string, unknown: string): never => {
    const type = isUserAlone ? 'users' : 'clients'
    throw new ToolError(
      `Only ${what} can be ${done} for '${type}' using --bootstrap-server. Unexpected config names: ${unknown}`,
    )
  }
  const unknownAdded = [...added.keys()].filter((key) => !isAllowed(key))
  if (unknownAdded.length > 0) refuse('added', `Set(${unknownAdded.join(', ')})`)
  const unknownDeleted = deleted.filter((key) => !isAllowed(key))
  if (unknownDeleted.length > 0) refuse('deleted', `ArrayBuffer(${unknownDeleted.join(', ')})`)
  const keys = [...added.keys(), ...deleted]
  if (!keys.some(isScram)) return
  if (names.includes('')) {
    throw new ToolError(
      'The use of --entity-default or --user-defaults is not allowed with User SCRAM Credentials using --bootstrap-server.',
    )
  }
  if (keys.some((key) => CLIENT_QUOTAS.includes(key))) {
    throw new ToolError(
      "Cannot alter both quota and SCRAM credential configs simultaneously for 'users' using --bootstrap-server.",
    )
  }
}
