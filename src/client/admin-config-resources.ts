import { describeConfigsApi } from '../wire/messages/32-describe-configs.ts'
import { incrementalAlterConfigsApi } from '../wire/messages/44-incremental-alter-configs.ts'
import { listConfigResourcesApi } from '../wire/messages/74-list-config-resources.ts'
import { ErrorCode } from '../wire/error-codes.ts'
import type { AdminChannel, AdminTarget } from './admin-channel.ts'
import {
  alterRequestOf,
  configEntryOf,
  ConfigResourceType,
  configTargetOf,
  describeRequestOf,
  type ConfigAlteration,
  type ConfigEntry,
  type ConfigResource,
} from './admin-configs.ts'
import { firstProblem, KafkaError } from './kafka-error.ts'

const FIRST_VERSION_WITH_SYNONYMS = 1
const FIRST_VERSION_WITH_TYPES = 1

/** Where a value comes from when the ones before it are not set. */
export interface ConfigSynonym {
  readonly name: string
  readonly value: string | null
  readonly source: number
}

export interface DescribedConfig extends ConfigEntry {
  /** In the order in which they count; empty when they were not asked for. */
  readonly synonyms: readonly ConfigSynonym[]
}

export interface ResourceAlteration {
  readonly resource: ConfigResource
  readonly alterations: readonly ConfigAlteration[]
}

/** Settings of many resources at once, with their synonyms. Errors of a resource end it at once, as for Kafka's tools. */
export class AdminConfigResources {
  readonly #channel: AdminChannel

  constructor(channel: AdminChannel) {
    this.#channel = channel
  }

  async describe(
    resource: ConfigResource,
    options: { readonly includeSynonyms?: boolean } = {},
  ): Promise<readonly DescribedConfig[]> {
    const includeSynonyms = options.includeSynonyms ?? false
    const { body } = await this.#channel.request({
      what: `describe the configuration of ${resource.name}`,
      to: configTargetOf(resource, 'any'),
      api: describeConfigsApi,
      ...(includeSynonyms ? { limits: { min: FIRST_VERSION_WITH_SYNONYMS } } : {}),
      body: () => ({
        resources: [describeRequestOf(resource)],
        ...(includeSynonyms ? { includeSynonyms: true } : {}),
      }),
    })
    const problem = firstProblem(body.results)
    if (problem !== null) throw problem
    return (body.results[0]?.configs ?? []).map((config) => ({
      ...configEntryOf(config),
      synonyms: config.synonyms.map(({ name, value, source }) => ({ name, value, source })),
    }))
  }

  /** Rejects with the first error; other resources are altered all the same. */
  async alter(resources: readonly ResourceAlteration[]): Promise<void> {
    const problems: KafkaError[] = []
    for (const [target, group] of byTarget(resources)) {
      const { body } = await this.#channel.request({
        what: `alter the configuration of ${group.map((each) => each.resource.name).join(', ')}`,
        to: target,
        api: incrementalAlterConfigsApi,
        body: () => ({
          resources: group.map(({ resource, alterations }) =>
            alterRequestOf(resource, alterations),
          ),
        }),
        check: (response) =>
          response.responses.some(({ errorCode }) => errorCode === ErrorCode.NOT_CONTROLLER)
            ? new KafkaError(ErrorCode.NOT_CONTROLLER)
            : null,
      })
      const problem = firstProblem(body.responses)
      if (problem !== null) problems.push(problem)
    }
    if (problems[0] !== undefined) throw problems[0]
  }

  /** Names of the resources of a type that have settings of their own; before version 1 for client metrics only. */
  async list(type: number): Promise<readonly string[]> {
    const isOld = type === ConfigResourceType.CLIENT_METRICS
    const { body } = await this.#channel.request({
      what: 'list config resources',
      to: 'any',
      api: listConfigResourcesApi,
      ...(isOld ? {} : { limits: { min: FIRST_VERSION_WITH_TYPES } }),
      body: (version) => (version >= FIRST_VERSION_WITH_TYPES ? { resourceTypes: [type] } : {}),
      check: (response) => firstProblem([response]),
    })
    return body.configResources
      .filter(({ resourceType }) => resourceType === type)
      .map(({ resourceName }) => resourceName)
  }
}

/** What belongs to one broker goes to that broker; each of the others in one request to the controller. */
function byTarget(
  resources: readonly ResourceAlteration[],
): ReadonlyMap<AdminTarget, readonly ResourceAlteration[]> {
  const groups = new Map<AdminTarget, ResourceAlteration[]>()
  for (const each of resources) {
    const target = configTargetOf(each.resource, 'controller')
    groups.set(target, [...(groups.get(target) ?? []), each])
  }
  return groups
}
