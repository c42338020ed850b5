import type { Config } from '../src/base/config-def.ts'
import { ConfigError } from '../src/base/errors.ts'

/** What a node is: a broker that serves clients, a controller that votes in the quorum, or both. */
export interface NodeRoles {
  readonly isBroker: boolean
  readonly isController: boolean
}

/** Reads `process.roles`; throws `ConfigError`. Which names there are the table of settings checks. */
export function nodeRoles(config: Config): NodeRoles {
  const names = config.list('process.roles')
  if (names.length === 0) {
    throw new ConfigError(
      "Configuration 'process.roles' must not be empty. Valid values include: [broker, controller]",
    )
  }
  if (new Set(names).size < names.length) {
    throw new ConfigError(`process.roles: a role is there twice in "${names.join(',')}"`)
  }
  return { isBroker: names.includes('broker'), isController: names.includes('controller') }
}
