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
const PLAINTEXT = 'PLAINTEXT'
const PROTOCOLS = new Set([PLAINTEXT, 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'])

/** Reads roles and listener settings of one node; throws `ConfigError` in Kafka's words. */
export function listenerPlan(config: Config): ListenerPlan {
  const roles = nodeRoles(config)
  const voters = parseVoters(config)
  const all = parseListeners(config, 'listeners')
  refuseDoubles(config, all)
  const controllerNames = config.list('controller.listener.names')
  const brokers = all.filter(({ name }) => !controllerNames.includes(name))
  const controllers = all.filter(({ name }) => controllerNames.includes(name))
  refuseOtherVoters(config, roles, voters)
  refuseOtherRoles(config, roles, { brokers, controllers })
  refuseOtherProtocols(config, all)
  const advertised = advertisedListeners(config, roles, { brokers, controllers })
  const interBrokerName = roles.isBroker ? interBrokerListener(config, brokers) : null
  return { roles, brokers, controllers, advertised, interBrokerName, voters }
}

type Listeners = Pick<ListenerPlan, 'brokers' | 'controllers'>

/** Kafka's rules on which listeners a role may have, must have and must not have. */
function refuseOtherRoles(
  config: Config,
  { isBroker, isController }: NodeRoles,
  { brokers, controllers }: Listeners,
): void {
  const names = config.list('controller.listener.names')
  if (names.length === 0) {
    throw new ConfigError(
      'controller.listener.names must contain at least one value when running KRaft',
    )
  }
  if (isController) {
    if (controllers.length === 0) {
      throw new ConfigError(
        "controller.listener.names must contain at least one value appearing in the 'listeners' " +
          'configuration when running the KRaft controller role',
      )
    }
  } else if (controllers.length > 0) {
    throw new ConfigError(
      "controller.listener.names must not contain a value appearing in the 'listeners' " +
        'configuration when running KRaft with just the broker role',
    )
  }
  if (isBroker) return
  if (brokers.length > 0) {
    throw new ConfigError(
      'The listeners config must only contain KRaft controller listeners from ' +
        'controller.listener.names when process.roles=controller',
    )
  }
  if (config.nullableString('inter.broker.listener.name') !== null) {
    throw new ConfigError(
      'inter.broker.listener.name must not be set when process.roles=controller',
    )
  }
}

function advertisedListeners(
  config: Config,
  { isController }: NodeRoles,
  { brokers, controllers }: Listeners,
): ReadonlyMap<string, Address> {
  const advertised = new Map<string, Address>()
  for (const { name, host, port } of brokers) advertised.set(name, { host, port })
  const controllerNames = config.list('controller.listener.names')
  for (const { name, host, port } of parseListeners(config, 'advertised.listeners')) {
    if (host === '0.0.0.0') {
      throw new ConfigError(
        'advertised.listeners cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP address.',
      )
    }
    const isQuorum = controllerNames.includes(name)
    if (isQuorum && !isController) {
      throw new ConfigError(
        'The advertised.listeners config must not contain KRaft controller listeners from ' +
          'controller.listener.names when process.roles=broker',
      )
    }
    const own = isQuorum ? controllers : brokers
    if (!own.some((listener) => listener.name === name)) {
      throw new ConfigError(
        `advertised.listeners: "${name}" is none of the listeners ${config.list('listeners').join(', ')}`,
      )
    }
    // Voters are known by controller.quorum.voters; a client never asks for a controller's listener.
    if (!isQuorum) advertised.set(name, { host, port })
  }
  return advertised
}

function interBrokerListener(config: Config, brokers: readonly NamedListener[]): string {
  const given = config.nullableString('inter.broker.listener.name')?.toUpperCase() ?? null
  const [first] = brokers
  if (first === undefined) {
    throw new ConfigError(
      'There must be at least one broker advertised listener. Perhaps all listeners appear in ' +
        'controller.listener.names?',
    )
  }
  if (given === null) return first.name
  if (brokers.some(({ name }) => name === given)) return given
  throw new ConfigError(
    'inter.broker.listener.name must be a listener name defined in advertised.listeners. The valid ' +
      `options based on currently configured listeners are ${brokers.map(({ name }) => name).join(',')}`,
  )
}

/** A voter is a controller and a controller a voter: the quorum's members are fixed (kraft.version 0). */
function refuseOtherVoters(
  config: Config,
  { isController }: NodeRoles,
  voters: ListenerPlan['voters'],
): void {
  if (voters.length === 0) {
    throw new ConfigError(
      'If using process.roles, either controller.quorum.bootstrap.servers must contain the set of bootstrap ' +
        'controllers or controller.quorum.voters must contain a parseable set of controllers.',
    )
  }
  const id = config.int('node.id')
  const isVoter = voters.some(({ nodeId }) => nodeId === id)
  if (isVoter === isController) return
  const set = `controller.quorum.voters=Set(${voters.map(({ nodeId }) => nodeId).join(', ')})`
  throw new ConfigError(
    isController
      ? `If process.roles contains the 'controller' role, the node id ${id} must be included in the set of voters ${set}`
      : `If process.roles contains just the 'broker' role, the node id ${id} must not be included in the set of voters ${set}`,
  )
}

/**
 * The map names a protocol for every listener (SocketServerConfigs.listenerListToEndPoints). A node that has not set
 * it has PLAINTEXT controllers. Only PLAINTEXT is served.
 */
function refuseOtherProtocols(config: Config, all: readonly NamedListener[]): void {
  const protocols = securityProtocols(config)
  if (!config.isSet('listener.security.protocol.map')) {
    for (const name of config.list('controller.listener.names')) protocols.set(name, PLAINTEXT)
  }
  const interBroker = config.nullableString('inter.broker.listener.name')?.toUpperCase() ?? null
  if (interBroker !== null && !protocols.has(interBroker)) {
    throw new ConfigError(
      `Listener with name ${interBroker} defined in inter.broker.listener.name not found in listener.security.protocol.map.`,
    )
  }
  for (const { name } of all) {
    const protocol = protocols.get(name)
    if (protocol === undefined) {
      throw listenerError(config, 'listeners', `No security protocol defined for listener ${name}`)
    }
    if (protocol !== PLAINTEXT) {
      throw new ConfigError(
        `listener.security.protocol.map: listener ${name} has ${protocol}, but this version serves PLAINTEXT only`,
      )
    }
  }
}

function securityProtocols(config: Config): Map<string, string> {
  const protocols = new Map<string, string>()
  for (const entry of config.string('listener.security.protocol.map').split(',')) {
    if (entry.trim() === '') continue
    const at = entry.lastIndexOf(':')
    const name = entry.slice(0, at).trim().toUpperCase()
    const protocol = entry
      .slice(at + 1)
      .trim()
      .toUpperCase()
    if (at <= 0) {
      throw new ConfigError(
        `Error parsing configuration property 'listener.security.protocol.map': expected NAME:PROTOCOL, not "${entry}"`,
      )
    }
    if (!PROTOCOLS.has(protocol)) {
      throw new ConfigError(
        `Invalid security protocol \`${protocol}\` defined in listener.security.protocol.map`,
      )
    }
    protocols.set(name, protocol)
  }
  return protocols
}

function listenerError(config: Config, setting: string, problem: string): ConfigError {
  const given = config.list(setting).join(', ')
  return new ConfigError(`Error creating broker listeners from '[${given}]': ${problem}`)
}

function parseListeners(config: Config, setting: string): readonly NamedListener[] {
  return config.list(setting).map((text) => {
    const found = LISTENER.exec(text)
    const port = Number(found?.[3])
    if (found === null || port > MAX_PORT) {
      throw listenerError(config, setting, `Unable to parse ${text} to a broker endpoint`)
    }
    return { name: (found[1] ?? '').toUpperCase(), host: unbracketed(found[2] ?? ''), port }
  })
}

function refuseDoubles(config: Config, all: readonly NamedListener[]): void {
  const names = new Set<string>()
  const addresses = new Set<string>()
  const list = `listeners: [${config.list('listeners').join(', ')}]`
  for (const { name, host, port } of all) {
    const address = `${host}:${port}`
    if (names.has(name)) {
      throw listenerError(config, 'listeners', `Each listener must have a different name, ${list}`)
    }
    // Port 0 is any free port, so two of them differ.
    if (port !== 0 && addresses.has(address)) {
      throw listenerError(config, 'listeners', `Each listener must have a different port, ${list}`)
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
      throw new ConfigError(
        'Invalid configuration value for controller.quorum.voters. Each entry should be in the form ' +
          `\`{id}@{host}:{port}\`, not "${text}"`,
      )
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
