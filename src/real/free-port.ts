import { createServer } from 'node:net'
import { KafketteError } from '../base/errors.ts'
import { NodeRandom } from './node-random.ts'

/**
 * Ports below the range from which systems take the ports of outgoing connections. So nobody's outgoing
 * connection can sit on the port of a broker that is down, nor connect to itself there.
 */
const FIRST_PORT = 10_000
const LAST_PORT = 32_000
const PROBES_LIMIT = 1000

/** Ports given out by this process: two callers in a row must not get the same one. */
const given = new Set<number>()

/** A TCP port of `host` that nobody listens on, from 10000 to 32000. Each call gives another one. */
export async function findFreePort(host = '127.0.0.1'): Promise<number> {
  const count = LAST_PORT - FIRST_PORT + 1
  if (given.size > count / 2) given.clear()
  const start = new NodeRandom().below(count)
  for (let probe = 0; probe < PROBES_LIMIT; probe += 1) {
    const port = FIRST_PORT + ((start + probe) % count)
    if (given.has(port)) continue
    given.add(port)
    if (await isFree(host, port)) return port
  }
  throw new KafketteError('NO_PORT', `no free port on ${host} in ${PROBES_LIMIT} tried`)
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
