import type { Config } from '../src/base/config-def.ts'
import { brokerConfigDef, topicConfigDef } from './config.ts'
import { describeTopic } from './config-description.ts'
import type { ConfigRules } from './controller/control-context.ts'
import { ResourceType } from './metadata/configs-image.ts'

/** What the controller must know of settings, from the tables of this node. */
export function configRules(config: Config): ConfigRules {
  const defOf = (resourceType: number): typeof topicConfigDef | null => {
    if (resourceType === ResourceType.TOPIC) return topicConfigDef
    return resourceType === ResourceType.BROKER ? brokerConfigDef : null
  }
  return {
    problemWith: (resourceType, name, value) => {
      const def = defOf(resourceType)
      return def === null
        ? `Settings of resource type ${resourceType} are not served`
        : def.problemWith(name, value)
    },
    listDefault: (resourceType, name) => {
      const key = defOf(resourceType)?.keys.get(name)
      if (key?.type !== 'list') return null
      return typeof key.defaultValue === 'object' && key.defaultValue !== null
        ? key.defaultValue
        : []
    },
    describeTopic: (overrides) =>
      describeTopic(overrides, config)
        .map(({ name, value, readOnly, configSource, isSensitive }) => ({
          name,
          value,
          readOnly,
          configSource,
          isSensitive,
        }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
  }
}
