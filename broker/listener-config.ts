import type { Config } from '../src/base/config-def.ts'
import { ConfigError } from '../src/base/errors.ts'
import type { Address } from '../src/ports/network.ts'

/** One entry of `listeners`: `NAME://host:port`. */
export interface NamedListener {
  readonly name: string
  readonly host: string
  readonly port: number
}

/** What a node's listener settings say, checked against each other. */
export interface ListenerPlan {
  /** Listeners for clients and other brokers. */
  readonly brokers: readonly NamedListener[]
  /** Listeners of the controller quorum. */
  readonly controllers: readonly NamedListener[]
  /** Addresses told to clients, by listener name. */
  readonly advertised: ReadonlyMap<string, Address>
  readonly interBrokerName: string
  /** Voters of controller.quorum.voters with the addresses of their controller listeners. */
  readonly voters: readonly (Address & { readonly nodeId: number })[]
}

const LISTENER = /^([\w-]+):\/\/(\[[^\]]+\]|[^:]*):(\d+)$/
const VOTER = /^(\d+)@(\[[^\]]+\]|[^:]+):(\d+)$/
const MAX_PORT = 65_535

/** Reads the listener settings of one node; throws `ConfigError` naming the setting that is wrong. */
export function listenerPlan(config: Config): ListenerPlan {
  const all = config.list('listeners').map((text) => parseListener('listeners', text))
  refuseDoubles(all)
  const controllerNames = config.list('controller.listener.names')
  const brokers = all.filter(({ name }) => !controllerNames.includes(name))
  const controllers = all.filter(({ name }) => controllerNames.includes(name))
  const advertised = new Map<string, Address>()
  for (const { name, host, port } of brokers) advertised.set(name, { host, port })
  for (const text of config.list('advertised.listeners')) {
    const { name, host, port } = parseListener('advertised.listeners', text)
    if (!advertised.has(name)) {
      throw new ConfigError(`advertised.listeners: "${name}" is none of the listeners for clients`)
    }
    advertised.set(name, { host, port })
  }
  const interBrokerName = config.nullableString('inter.broker.listener.name') ?? brokers[0]?.name
  if (interBrokerName === undefined || !brokers.some(({ name }) => name === interBrokerName)) {
    throw new ConfigError(
      `inter.broker.listener.name "${interBrokerName ?? ''}" is none of the listeners ` +
        config.list('listeners').join(', '),
    )
  }
  return { brokers, controllers, advertised, interBrokerName, voters: parseVoters(config) }
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
