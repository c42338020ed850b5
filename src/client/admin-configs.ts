import {
  describeConfigsApi,
  type DescribeConfigsResponse,
} from '../wire/messages/32-describe-configs.ts'
import {
  incrementalAlterConfigsApi,
  type IncrementalAlterConfigsRequest,
} from '../wire/messages/44-incremental-alter-configs.ts'
import type { AdminChannel, AdminTarget } from './admin-channel.ts'
import { firstProblem } from './kafka-error.ts'

export const ConfigResourceType = {
  TOPIC: 2,
  BROKER: 4,
  BROKER_LOGGER: 8,
  CLIENT_METRICS: 16,
  GROUP: 32,
} as const

export interface ConfigResource {
  readonly type: number
  /** A broker's id as text; '' for the defaults of all brokers. */
  readonly name: string
}

export interface ConfigEntry {
  readonly name: string
  /** Null for what is sensitive or not set. */
  readonly value: string | null
  readonly isReadOnly: boolean
  readonly isSensitive: boolean
  /** DescribeConfigs' source: 1 topic, 2 dynamic broker, 4 static broker, 5 default, ... */
  readonly source: number
}

export const AlterOperation = { SET: 0, DELETE: 1, APPEND: 2, SUBTRACT: 3 } as const

export interface ConfigAlteration {
  readonly name: string
  readonly operation: number
  readonly value: string | null
}

/** Settings of topics, brokers and other resources. */
export class AdminConfigs {
  readonly #channel: AdminChannel

  constructor(channel: AdminChannel) {
    this.#channel = channel
  }

  async describe(resource: ConfigResource): Promise<readonly ConfigEntry[]> {
    const { body } = await this.#channel.request({
      what: `describe the configuration of ${resource.name}`,
      to: configTargetOf(resource, 'any'),
      api: describeConfigsApi,
      body: () => ({ resources: [describeRequestOf(resource)] }),
      check: (response) => firstProblem(response.results),
    })
    return (body.results[0]?.configs ?? []).map(configEntryOf)
  }

  async alter(resource: ConfigResource, alterations: readonly ConfigAlteration[]): Promise<void> {
    await this.#channel.request({
      what: `alter the configuration of ${resource.name}`,
      to: configTargetOf(resource, 'any'),
      api: incrementalAlterConfigsApi,
      body: () => ({ resources: [alterRequestOf(resource, alterations)] }),
      check: (response) => firstProblem(response.responses),
    })
  }
}

/** What belongs to one broker must be asked of that broker. */
export function configTargetOf(
  { type, name }: ConfigResource,
  otherwise: AdminTarget,
): AdminTarget {
  const isOfBroker = type === ConfigResourceType.BROKER || type === ConfigResourceType.BROKER_LOGGER
  return isOfBroker && name !== '' ? Number(name) : otherwise
}

/** All settings of the resource, for DescribeConfigs. */
export function describeRequestOf({ type, name }: ConfigResource): {
  readonly resourceType: number
  readonly resourceName: string
  readonly configurationKeys: null
} {
  return { resourceType: type, resourceName: name, configurationKeys: null }
}

/** For IncrementalAlterConfigs. */
export function alterRequestOf(
  { type, name }: ConfigResource,
  alterations: readonly ConfigAlteration[],
): IncrementalAlterConfigsRequest['resources'][number] {
  return {
    resourceType: type,
    resourceName: name,
    configs: alterations.map(({ name, operation, value }) => ({
      name,
      configOperation: operation,
      value,
    })),
  }
}

/** A setting as DescribeConfigs answers it. */
export function configEntryOf(
  config: DescribeConfigsResponse['results'][number]['configs'][number],
): ConfigEntry {
  return {
    name: config.name,
    value: config.value,
    isReadOnly: config.readOnly,
    isSensitive: config.isSensitive,
    source: config.configSource,
  }
}
