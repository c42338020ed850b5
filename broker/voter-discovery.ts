import { ClientConnection } from '../src/client/connection.ts'
import { parseAddresses } from '../src/client/client-ports.ts'
import type { Address } from '../src/ports/network.ts'
import type { NodePorts } from '../src/ports/ports.ts'
import { ErrorCode } from '../src/wire/error-codes.ts'
import {
  describeClusterApi,
  type DescribeClusterResponse,
} from '../src/wire/messages/60-describe-cluster.ts'

const VERSION = 1
const CONTROLLERS = 2
const TIMEOUT_MS = 2000
const RETRY_MS = 200

export interface DiscoveredVoter extends Address {
  readonly nodeId: number
}

/** A search that goes on until it finds or is told to stop. */
export interface VoterSearch {
  readonly stop: () => void
}

/**
 * Asks the controllers of `controller.quorum.bootstrap.servers`, one after the other, who the voters are (KIP-919). A
 * broker knows nothing else of the quorum when `controller.quorum.voters` is not set. Throws `ConfigError` for an
 * address that cannot be read.
 */
export function findVoters(
  servers: readonly string[],
  ports: Pick<NodePorts, 'network' | 'clock'>,
  clientId: string,
  found: (voters: readonly DiscoveredVoter[]) => void,
): VoterSearch {
  const addresses = parseAddresses(servers)
  let isOver = false
  let connection: ClientConnection | null = null
  const ask = (index: number): void => {
    const address = addresses[index % addresses.length]
    if (isOver || address === undefined) return
    const asked = new ClientConnection({ ...ports, address, clientId })
    connection = asked
    const body = { endpointType: CONTROLLERS }
    asked.request(describeClusterApi, VERSION, body, TIMEOUT_MS, (_, answer) => {
      asked.close()
      if (isOver) return
      const voters = answer === null ? [] : votersOf(answer)
      if (voters.length === 0) {
        ports.clock.after(RETRY_MS, 'voters.search', () => ask(index + 1))
        return
      }
      isOver = true
      found(voters)
    })
  }
  ask(0)
  return {
    stop: () => {
      isOver = true
      connection?.close()
    },
  }
}

function votersOf(answer: DescribeClusterResponse): readonly DiscoveredVoter[] {
  if (answer.errorCode !== ErrorCode.NONE) return []
  return answer.brokers.map(({ brokerId, host, port }) => ({ nodeId: brokerId, host, port }))
}
