import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { KafketteError } from '../../src/base/errors.ts'
import { Admin } from '../../src/client/index.ts'
import { newClusterId } from '../../src/fixture/cluster-file.ts'
import { removeDirectory, temporaryDirectory } from '../../src/fixture/data-directory.ts'
import { findFreePort } from '../../src/real/free-port.ts'
import { NodeClock } from '../../src/real/node-clock.ts'
import { NodeNetwork } from '../../src/real/node-network.ts'
import { NodeRandom } from '../../src/real/node-random.ts'
import { JavaProcess } from './java-process.ts'

const START_TIMEOUT_MS = 120_000
const ASK_EVERY_MS = 200

export interface PlainClusterOptions {
  readonly java: string
  /** Directory of the jars. */
  readonly jars: string
  readonly brokers: number
  /** Settings of every node on top of what a cluster needs. */
  readonly properties?: Readonly<Record<string, string>>
}

/** A cluster of Apache Kafka as anyone would start it: no proxies, every node a broker and a controller. */
export class PlainCluster implements AsyncDisposable {
  readonly clusterId: string
  readonly bootstrapServers: string
  readonly controllers: string
  readonly #directory: string
  readonly #nodes: readonly JavaProcess[]

  private constructor(
    clusterId: string,
    ports: readonly NodePorts[],
    directory: string,
    nodes: readonly JavaProcess[],
  ) {
    this.clusterId = clusterId
    this.bootstrapServers = ports.map(({ client }) => `127.0.0.1:${client}`).join(',')
    this.controllers = ports.map(({ controller }) => `127.0.0.1:${controller}`).join(',')
    this.#directory = directory
    this.#nodes = nodes
    process.once('exit', this.#killAll)
  }

  /** Resolves when every broker is registered. Rejects with the output of a node that ended. */
  static async start(options: PlainClusterOptions): Promise<PlainCluster> {
    const directory = temporaryDirectory()
    const clusterId = newClusterId()
    const ports: NodePorts[] = []
    for (let id = 1; id <= options.brokers; id += 1) {
      ports.push({ client: await findFreePort(), controller: await findFreePort() })
    }
    const files = ports.map((_, index) =>
      writeProperties(directory, index + 1, ports, options.properties ?? {}),
    )
    const run = (mainClass: string, parameters: readonly string[]): JavaProcess =>
      new JavaProcess({ ...options, mainClass, parameters, directory })
    for (const file of files) {
      const format = run('kafka.tools.StorageTool', ['format', '-t', clusterId, '-c', file])
      await format.ended
      if (format.exitCode !== 0) throw new KafketteError('BROKER_START', format.output)
    }
    const nodes = files.map((file) => run('kafka.Kafka', [file]))
    const cluster = new PlainCluster(clusterId, ports, directory, nodes)
    try {
      await cluster.#untilWhole()
    } catch (error) {
      await cluster.stop()
      throw error
    }
    return cluster
  }

  async stop(): Promise<void> {
    process.off('exit', this.#killAll)
    this.#killAll()
    await Promise.all(this.#nodes.map(({ ended }) => ended))
    removeDirectory(this.#directory)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  readonly #killAll = (): void => {
    for (const node of this.#nodes) node.signal('SIGKILL')
  }

  async #untilWhole(): Promise<void> {
    const ports = { clock: new NodeClock(), network: new NodeNetwork(), random: new NodeRandom() }
    const properties = {
      'bootstrap.servers': this.bootstrapServers,
      'default.api.timeout.ms': `${START_TIMEOUT_MS}`,
    }
    const admin = new Admin(properties, ports)
    try {
      for (;;) {
        const ended = this.#nodes.find((node) => !node.isRunning)
        if (ended !== undefined) throw new KafketteError('BROKER_START', ended.output)
        const { endpoints } = await admin.cluster.brokers()
        if (endpoints.length === this.#nodes.length) return
        await pause(ASK_EVERY_MS)
      }
    } finally {
      await admin.close()
    }
  }
}

interface NodePorts {
  readonly client: number
  readonly controller: number
}

function writeProperties(
  directory: string,
  id: number,
  nodes: readonly NodePorts[],
  extra: Readonly<Record<string, string>>,
): string {
  const { client, controller } = nodes[id - 1] ?? { client: 0, controller: 0 }
  const data = join(directory, `data-${id}`)
  const file = join(directory, `node-${id}.properties`)
  const copies = Math.min(nodes.length, 3)
  const voters = nodes.map((node, index) => `${index + 1}@127.0.0.1:${node.controller}`)
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': id,
    'controller.quorum.voters': voters.join(','),
    listeners: `PLAINTEXT://127.0.0.1:${client},CONTROLLER://127.0.0.1:${controller}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': data,
    'offsets.topic.replication.factor': copies,
    'transaction.state.log.replication.factor': copies,
    'group.initial.rebalance.delay.ms': 0,
    ...extra,
  }
  mkdirSync(data, { recursive: true })
  const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}\n`)
  writeFileSync(file, lines.join(''))
  return file
}
