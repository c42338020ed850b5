import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient, type Client } from '../../src/client/index.ts'
import { findFreePort } from '../../src/real/free-port.ts'
import { NodeClock } from '../../src/real/node-clock.ts'
import { NodeNetwork } from '../../src/real/node-network.ts'
import { NodeRandom } from '../../src/real/node-random.ts'
import { kafkette, type CliProcess, type Ended } from './cli-process.ts'

export const CLUSTER_ID = 'abcdefghijklmnopqrstuv'
const HOST = '127.0.0.1'

/** Short times, so that a test of a failover does not wait for Kafka's. */
const FAST = {
  'broker.heartbeat.interval.ms': '200',
  'broker.session.timeout.ms': '1500',
  'controller.quorum.election.timeout.ms': '300',
  'controller.quorum.election.backoff.max.ms': '200',
  'controller.quorum.fetch.timeout.ms': '800',
  'controller.quorum.request.timeout.ms': '800',
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '1',
  'group.initial.rebalance.delay.ms': '0',
}

export interface ServerFile {
  readonly id: number
  readonly path: string
  readonly directory: string
  readonly port: number
}

type Settings = Readonly<Record<string, string>>

/** A temporary folder for the files and data of servers; gone at the end of the test. */
export class ServerFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'kafkette-server-'))

  /** Files of combined nodes 1, 2, ... that are each other's voters. */
  async combined(count: number, extra: Settings = {}): Promise<readonly ServerFile[]> {
    const controllerPorts: number[] = []
    for (let id = 1; id <= count; id += 1) controllerPorts.push(await findFreePort(HOST))
    const voters = controllerPorts.map((port, index) => `${index + 1}@${HOST}:${port}`).join(',')
    const files: ServerFile[] = []
    for (const [index, controllerPort] of controllerPorts.entries()) {
      const port = await findFreePort(HOST)
      files.push(
        this.write(index + 1, port, {
          'process.roles': 'broker,controller',
          'controller.quorum.voters': voters,
          listeners: `PLAINTEXT://${HOST}:${port},CONTROLLER://${HOST}:${controllerPort}`,
          ...extra,
        }),
      )
    }
    return files
  }

  write(id: number, port: number, settings: Settings): ServerFile {
    const directory = join(this.path, `data-${id}`)
    const path = join(this.path, `server-${id}.properties`)
    const all = {
      'node.id': String(id),
      'controller.listener.names': 'CONTROLLER',
      'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
      'log.dirs': directory,
      ...FAST,
      ...settings,
    }
    const lines = Object.entries(all).map(([name, value]) => `${name}=${value}`)
    writeFileSync(path, `# of a test\n${lines.join('\n')}\n`)
    return { id, path, directory, port }
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 3 })
  }
}

export function format(file: ServerFile, ...flags: readonly string[]): Promise<Ended> {
  return kafkette('storage', 'format', '-t', CLUSTER_ID, '-c', file.path, ...flags).end()
}

/** Formats and starts; the caller awaits that it is ready. */
export async function startServer(
  file: ServerFile,
  ...flags: readonly string[]
): Promise<CliProcess> {
  await format(file, '--ignore-formatted')
  return kafkette('server', file.path, ...flags)
}

export function clientOf(files: readonly ServerFile[], properties: Settings = {}): Client {
  return createClient({
    bootstrapServers: files.map(({ port }) => `${HOST}:${port}`).join(','),
    ports: { clock: new NodeClock(), network: new NodeNetwork(), random: new NodeRandom() },
    properties,
  })
}
