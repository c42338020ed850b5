import type { Config } from '../../src/base/config-def.ts'
import type { BrokerId } from '../../src/base/ids.ts'
import type { Random } from '../../src/ports/random.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { ErrorCode } from '../../src/wire/error-codes.ts'
import { ResourceType } from '../metadata/configs-image.ts'

/** One line of the effective configs of a new topic. */
export interface TopicConfigLine {
  readonly name: string
  readonly value: string | null
  readonly readOnly: boolean
  /** As in DescribeConfigs: 1 topic, 2 dynamic broker, 3 dynamic default broker, 4 static broker, 5 default. */
  readonly configSource: number
  readonly isSensitive: boolean
}

export interface ConfigProblem {
  readonly errorCode: ErrorCode
  readonly message: string
}

/** What the controller must know of configs; injected, because the tables are above it. */
export interface ConfigRules {
  /** Why these can not be all the configs of a resource, or null. Also names a config that does not exist. */
  problemWith(resourceType: number, values: ReadonlyMap<string, string>): ConfigProblem | null
  /** What a list holds when it is not overridden, the start of APPEND and SUBTRACT; null when it is no list. */
  listDefault(resourceType: number, name: string): readonly string[] | null
  /** Every config of a new topic with these overrides, for the answer of CreateTopics v5+; sorted by name. */
  describeTopic(overrides: ReadonlyMap<string, string>): readonly TopicConfigLine[]
}

/** What an operation of the active controller may read. It must not change the image. */
export interface ControlContext {
  readonly nodeId: BrokerId
  readonly clusterId: string
  readonly config: Config
  readonly configRules: ConfigRules
  readonly random: Random
  readonly image: MetadataImage
}

/** Whether a partition of the topic that lost its whole ISR may be led by another replica. */
export function isUncleanElectionEnabled(context: ControlContext, topic: string): boolean {
  const name = 'unclean.leader.election.enable'
  const { configs } = context.image
  const text =
    configs.of(ResourceType.TOPIC, topic).get(name) ??
    configs.of(ResourceType.BROKER, String(context.nodeId)).get(name) ??
    configs.of(ResourceType.BROKER, '').get(name)
  return text === undefined ? context.config.boolean(name) : text === 'true'
}
