import { ClientConnection } from '../../src/client/index.ts'
import type { Address } from '../../src/ports/network.ts'
import { NodeClock } from '../../src/real/node-clock.ts'
import { NodeNetwork } from '../../src/real/node-network.ts'
import { listOffsetsApi } from '../../src/wire/messages/02-list-offsets.ts'

/** Replica id of a debugging tool: the broker answers with its log end and not with the high watermark. */
const DEBUGGING_REPLICA_ID = -2
const LATEST = -1
const VERSION = 7
const TIMEOUT_MS = 2000

/** The log end offset of a partition as its leader has it, replicated or not; null when it does not say. */
export function logEndOffset(
  leader: Address,
  topic: string,
  partition: number,
): Promise<number | null> {
  const connection = new ClientConnection({
    network: new NodeNetwork(),
    clock: new NodeClock(),
    address: { host: leader.host, port: leader.port },
    clientId: 'scenario',
  })
  const body = {
    replicaId: DEBUGGING_REPLICA_ID,
    topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp: LATEST }] }],
  }
  return new Promise((resolve) => {
    connection.request(listOffsetsApi, VERSION, body, TIMEOUT_MS, (_, response) => {
      connection.close()
      const offset = response?.topics[0]?.partitions[0]?.offset ?? -1
      resolve(offset === -1 ? null : offset)
    })
  })
}
