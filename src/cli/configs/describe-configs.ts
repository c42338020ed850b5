import {
  ConfigResourceType,
  KafkaError,
  type Admin,
  type DescribedConfig,
} from '../../client/index.ts'
import { namesInHashOrder } from '../java-hash-map.ts'
import type { ToolIo } from '../kafka-tool.ts'
import { named } from '../tool-errors.ts'
import { checkTopicName } from '../topic-filter.ts'
import { singular } from './entities.ts'

const UNSUPPORTED_ENDPOINT_TYPE = 115

/** The resource of each entity type, and the source of the values that belong to it alone. */
const RESOURCES: ReadonlyMap<string, { readonly type: number; readonly source: number | null }> =
  new Map([
    ['topics', { type: ConfigResourceType.TOPIC, source: 1 }],
    ['brokers', { type: ConfigResourceType.BROKER, source: 2 }],
    ['broker-loggers', { type: ConfigResourceType.BROKER_LOGGER, source: null }],
    ['client-metrics', { type: ConfigResourceType.CLIENT_METRICS, source: 7 }],
    ['groups', { type: ConfigResourceType.GROUP, source: 8 }],
  ])
const BROKER_DEFAULT_SOURCE = 3

/** Names of the sources in DescribeConfigs' answers. */
const SOURCES = [
  'UNKNOWN',
  'DYNAMIC_TOPIC_CONFIG',
  'DYNAMIC_BROKER_CONFIG',
  'DYNAMIC_DEFAULT_BROKER_CONFIG',
  'STATIC_BROKER_CONFIG',
  'DEFAULT_CONFIG',
  'DYNAMIC_BROKER_LOGGER_CONFIG',
  'DYNAMIC_CLIENT_METRICS_CONFIG',
  'DYNAMIC_GROUP_CONFIG',
] as const

export interface DescribeScope {
  readonly admin: Admin
  /** The client talks to controllers, which know no topics and no groups. */
  readonly isController: boolean
  /** `--all`. */
  readonly isAll: boolean
}

/** The type of an entity's resource. */
export function resourceTypeOf(entityType: string): number {
  return RESOURCES.get(entityType)?.type ?? 0
}

/** Shows the settings of one entity, or of all of its type when `name` is null. */
export async function describeResources(
  scope: DescribeScope,
  entityType: string,
  name: string | null,
  io: ToolIo,
): Promise<void> {
  if (name !== null && !scope.isAll) {
    if (entityType === 'topics') checkTopicName(name)
    if (!(await isThere(scope, entityType, name))) {
      io.out(`The ${singular(entityType)} '${name}' doesn't exist and doesn't have dynamic config.`)
      return
    }
  }
  for (const entity of name === null ? await allEntities(scope, entityType) : [name]) {
    const which = `${scope.isAll ? 'All' : 'Dynamic'} configs for ${singular(entityType)} ${entity} are:`
    io.out(entity === '' ? `Default configs for ${entityType} in the cluster are:` : which)
    const configs = await describeEntity(scope, entityType, entity)
    for (const config of configs) io.out(configRow(config))
  }
}

/** Settings in order of name: all of them, or those that belong to this entity alone. */
export async function describeEntity(
  { admin, isAll }: DescribeScope,
  entityType: string,
  name: string,
): Promise<readonly DescribedConfig[]> {
  const { type, source } = RESOURCES.get(entityType) ?? { type: 0, source: null }
  const own = entityType === 'brokers' && name === '' ? BROKER_DEFAULT_SOURCE : source
  const resource = { type, name }
  const configs = await named(
    'describeConfigs',
    admin.configResources.describe(resource, { includeSynonyms: true }),
  )
  return configs
    .filter((config) => isAll || own === null || config.source === own)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** A line of `configs --describe`. */
export function configRow(config: DescribedConfig): string {
  const synonyms = config.synonyms.map(
    ({ name, value, source }) => `${SOURCES[source] ?? 'UNKNOWN'}:${name}=${value ?? 'null'}`,
  )
  return (
    `  ${config.name}=${config.value ?? 'null'} sensitive=${config.isSensitive} ` +
    `synonyms={${synonyms.join(', ')}}`
  )
}

async function isThere(scope: DescribeScope, type: string, name: string): Promise<boolean> {
  if (name === '' && type === 'brokers') return true
  return (await allEntities(scope, type)).includes(name)
}

/** With '' at the end for the defaults of brokers. */
async function allEntities(scope: DescribeScope, type: string): Promise<readonly string[]> {
  const { admin } = scope
  const configured = (): Promise<readonly string[]> =>
    named('listConfigResources', admin.configResources.list(resourceTypeOf(type)))
  switch (type) {
    case 'topics': {
      refuseOnController(scope)
      const topics = await named('listTopics', admin.listTopics({ includeInternal: true }))
      return namesInHashOrder(topics.map((topic) => topic.name))
    }
    case 'groups': {
      refuseOnController(scope)
      const groups = await named('listGroups', admin.groups.list())
      return [...new Set([...groups.map(({ groupId }) => groupId), ...(await configured())])]
    }
    case 'client-metrics':
      return configured()
    default: {
      const { endpoints } = await named(
        'listNodes',
        scope.isController ? admin.cluster.controllers() : admin.cluster.brokers(),
      )
      return [...endpoints.map(({ id }) => `${id}`), '']
    }
  }
}

function refuseOnController({ isController }: DescribeScope): void {
  if (!isController) return
  throw new KafkaError(
    UNSUPPORTED_ENDPOINT_TYPE,
    'This Admin API is not yet supported when communicating directly with the controller quorum.',
  )
}
