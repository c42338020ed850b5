// One process of bench/start.ts: starts clusters one after another and prints the times of each as JSON.
import { enableCompileCache } from 'node:module'
import type { Cluster, StartClusterOptions } from '../../src/index.ts'

/** From the call of `startCluster`, but for the import, which came before it; milliseconds. */
export interface StartTimes {
  readonly importMs: number
  readonly readyMs: number
  readonly ackedMs: number
  readonly stopMs: number
}

const KINDS: Readonly<Record<string, StartClusterOptions>> = {
  inline: { brokers: 3 },
  'inline-disk': { brokers: 3, storage: 'disk' },
  process: { brokers: 3, isolation: 'process' },
}
const CLUSTERS = 5

enableCompileCache()
const [kind = 'inline'] = process.argv.slice(2)
const importFromMs = performance.now()
const { startCluster } = await import('../../src/index.ts')
const importMs = performance.now() - importFromMs
const times: StartTimes[] = []
for (let round = 0; round < (kind === 'inline' ? CLUSTERS : 1); round += 1) {
  const fromMs = performance.now()
  const cluster = await startCluster(KINDS[kind])
  const readyMs = performance.now() - fromMs
  await sendOne(cluster)
  const ackedMs = performance.now() - fromMs
  await cluster.stop()
  times.push({ importMs, readyMs, ackedMs, stopMs: performance.now() - fromMs - ackedMs })
}
process.stdout.write(`${JSON.stringify(times)}\n`)

/** A topic with three replicas and a record that all of them have. */
async function sendOne({ bootstrapServers }: Cluster): Promise<void> {
  const { createClient } = await import('../../src/client/index.ts')
  const { NodeClock } = await import('../../src/real/node-clock.ts')
  const { NodeNetwork } = await import('../../src/real/node-network.ts')
  const { NodeRandom } = await import('../../src/real/node-random.ts')
  const ports = { clock: new NodeClock(), network: new NodeNetwork(), random: new NodeRandom() }
  const client = createClient({ bootstrapServers, ports })
  await client.admin().createTopics([{ name: 't', partitions: 1, replicationFactor: 3 }])
  await client.producer({ acks: 'all' }).send({ topic: 't', value: Buffer.from('first') })
  await client.close()
}
