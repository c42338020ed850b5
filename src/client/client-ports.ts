import { ConfigError } from '../base/errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { EventSink } from '../ports/events.ts'
import type { Address, Network } from '../ports/network.ts'
import type { Random } from '../ports/random.ts'

/** What a client uses of the world outside. */
export interface ClientPorts {
  readonly clock: Clock
  readonly network: Network
  readonly random: Random
  /** Tells connections, metadata, group membership, retries; silent when left out. */
  readonly events?: EventSink
}

/** Reads `host:port` entries, IPv6 hosts in brackets. Throws `ConfigError` naming the wrong one. */
export function parseAddresses(servers: readonly string[]): readonly Address[] {
  return servers.map((server) => {
    const parts = /^(?:[A-Za-z_]+:\/\/)?(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(server.trim())
    const host = parts?.[1] ?? parts?.[2]
    const port = Number(parts?.[3])
    if (host === undefined || port < 1 || port > 65_535) {
      throw new ConfigError(`bootstrap.servers has "${server}", expected host:port`)
    }
    return { host, port }
  })
}
