import type { Config } from '../src/base/config-def.ts'
import { ConfigError } from '../src/base/errors.ts'
import type { Address } from '../src/ports/network.ts'
import { nodeRoles, type NodeRoles } from './node-roles.ts'

/** One entry of `listeners`: `NAME://host:port`. */
export interface NamedListener {
  readonly name: string
  readonly host: string
  readonly port: number
}

/** What a node's listener settings say, checked against each other. */
export interface ListenerPlan {
  readonly roles: NodeRoles
  /** Listeners for clients and other brokers. */
  readonly brokers: readonly NamedListener[]
  /** Listeners of the controller quorum. */
  readonly controllers: readonly NamedListener[]
  /** Addresses told to clients, by listener name. */
  readonly advertised: ReadonlyMap<string, Address>
  /** Null on a node that is no broker. */
  readonly interBrokerName: string | null
  /** Voters of controller.quorum.voters with the addresses of their controller listeners. */
  readonly voters: readonly (Address & { readonly nodeId: number })[]
}

const LISTENER = /^([\w-]+):\/\/(\[[^\]]+\]|[^:]*):(\d+)$/
const VOTER = /^(\d+)@(\[[^\]]+\]|[^:]+):(\d+)$/
const MAX_PORT = 65_535

/** Reads roles and listener settings of one node; throws `ConfigError` naming the setting that is wrong. */
export function listenerPlan(config: Config): ListenerPlan {
  const roles = nodeRoles(config)
  const all = config.list('listeners').map((text) => parseListener('listeners', text))
  refuseDoubles(all)
  const controllerNames = config.list('controller.listener.names')
  const brokers = all.filter(({ name }) => !controllerNames.includes(name))
  const controllers = all.filter(({ name }) => controllerNames.includes(name))
  refuseOtherRoles(config, roles, { brokers, controllers })
  const advertised = advertisedListeners(config, brokers)
  const interBrokerName = roles.isBroker ? interBrokerListener(config, brokers) : null
  const voters = parseVoters(config)
  refuseOtherVoters(config, roles, voters)
  return { roles, brokers, controllers, advertised, interBrokerName, voters }
}

/** Kafka's rules on which listeners a role may have, must have and must not have. */
function refuseOtherRoles(
  config: Config,
  { isBroker, isController }: NodeRoles,
  { brokers, controllers }: Pick<ListenerPlan, 'brokers' | 'controllers'>,
): void {
  const controllerNames = config.list('controller.listener.names')
  const given = `controller.listener.names=${controllerNames.join(',')}`
  if (controllerNames.length === 0) {
    throw new ConfigError('controller.listener.names: at least one listener of the controllers')
  }
  if (isController) {
    const missing = controllerNames.find((name) => !controllers.some((own) => own.name === name))
    if (missing !== undefined) {
      throw new ConfigError(
        `${given}: "${missing}" must be in listeners when process.roles has "controller"`,
      )
    }
  } else if (controllers.length > 0) {
    throw new ConfigError(
      `${given}: none of them may be in listeners when process.roles is "broker"`,
    )
  }
  if (isBroker) return
  const [client] = brokers
  if (client !== undefined) {
    throw new ConfigError(
      `listeners: "${client.name}" is for clients; process.roles=controller has listeners of ${given} only`,
    )
  }
  if (config.nullableString('inter.broker.listener.name') !== null) {
    throw new ConfigError('inter.broker.listener.name: not for process.roles=controller')
  }
}

function advertisedListeners(
  config: Config,
  brokers: readonly NamedListener[],
): ReadonlyMap<string, Address> {
  const advertised = new Map<string, Address>()
  for (const { name, host, port } of brokers) advertised.set(name, { host, port })
  for (const text of config.list('advertised.listeners')) {
    const { name, host, port } = parseListener('advertised.listeners', text)
    if (!advertised.has(name)) {
      throw new ConfigError(`advertised.listeners: "${name}" is none of the listeners for clients`)
    }
    advertised.set(name, { host, port })
  }
  return advertised
}

function interBrokerListener(config: Config, brokers: readonly NamedListener[]): string {
  const name = config.nullableString('inter.broker.listener.name') ?? brokers[0]?.name
  if (name === undefined || !brokers.some((listener) => listener.name === name)) {
    throw new ConfigError(
      `inter.broker.listener.name "${name ?? ''}" is none of the listeners ` +
        config.list('listeners').join(', '),
    )
  }
  return name
}

/** A voter is a controller and a controller a voter: the quorum's members are fixed (kraft.version 0). */
function refuseOtherVoters(
  config: Config,
  { isController }: NodeRoles,
  voters: ListenerPlan['voters'],
): void {
  if (voters.length === 0) {
    throw new ConfigError('controller.quorum.voters: at least one controller, as id@host:port')
  }
  const id = config.int('node.id')
  const isVoter = voters.some(({ nodeId }) => nodeId === id)
  if (isVoter === isController) return
  throw new ConfigError(
    isController
      ? `controller.quorum.voters: node ${id} must be in it when process.roles has "controller"`
      : `controller.quorum.voters: node ${id} must not be in it when process.roles is "broker"`,
  )
}

function parseListener(setting: string, text: string): NamedListener {
  const found = LISTENER.exec(text)
  const port = Number(found?.[3])
  if (found === null || port > MAX_PORT) {
    throw new ConfigError(`${setting}: expected NAME://host:port, not "${text}"`)
  }
  return { name: found[1] ?? '', host: unbracketed(found[2] ?? ''), port }
}

function refuseDoubles(all: readonly NamedListener[]): void {
  const names = new Set<string>()
  const addresses = new Set<string>()
  for (const { name, host, port } of all) {
    const address = `${host}:${port}`
    if (names.has(name)) throw new ConfigError(`listeners: "${name}" is there twice`)
    // Port 0 is any free port, so two of them differ.
    if (port !== 0 && addresses.has(address)) {
      throw new ConfigError(`listeners: two listeners on ${address}`)
    }
    names.add(name)
    addresses.add(address)
  }
}

function parseVoters(config: Config): ListenerPlan['voters'] {
  const ids = new Set<number>()
  return config.list('controller.quorum.voters').map((text) => {
    const found = VOTER.exec(text)
    const port = Number(found?.[3])
    if (found === null || port > MAX_PORT) {
      throw new ConfigError(`controller.quorum.voters: expected id@host:port, not "${text}"`)
    }
    const nodeId = Number(found[1])
    if (ids.has(nodeId)) {
      throw new ConfigError(`controller.quorum.voters: node ${nodeId} is there twice`)
    }
    ids.add(nodeId)
    return { nodeId, host: unbracketed(found[2] ?? ''), port }
  })
}

function unbracketed(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host
}
