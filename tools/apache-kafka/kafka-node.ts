import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { KafketteError } from '../../src/base/errors.ts'
import type { NodeLayout } from '../../src/chaos/real/stage-layout.ts'
import type { NodeAddresses, StageNode } from '../../src/chaos/real/stage-node.ts'
import { ClientConnection } from '../../src/client/connection.ts'
import { NodeClock } from '../../src/real/node-clock.ts'
import { NodeNetwork } from '../../src/real/node-network.ts'
import { metadataApi } from '../../src/wire/messages/03-metadata.ts'
import { JavaProcess } from './java-process.ts'

const METADATA_VERSION = 9
const ASK_TIMEOUT_MS = 1000
const ASK_EVERY_MS = 100
/** How long a controlled shutdown may take before it is killed. */
const SHUTDOWN_TIMEOUT_MS = 15_000

export interface KafkaNodeOptions {
  readonly java: string
  readonly jars: string
  readonly layout: NodeLayout
  readonly clusterId: string
  readonly properties: Readonly<Record<string, string>>
  readonly onDied: (reason: string) => void
}

/** A broker of Apache Kafka as a node of a stage. */
export class KafkaNode implements StageNode {
  readonly id: number
  readonly name: string
  readonly isVoter: boolean
  readonly addresses: NodeAddresses
  readonly directory: string
  readonly #options: KafkaNodeOptions
  readonly #propertiesFile: string
  #process: JavaProcess | null = null
  #isPaused = false

  constructor(options: KafkaNodeOptions) {
    const { layout } = options
    this.#options = options
    this.id = layout.id
    this.name = layout.name
    this.isVoter = layout.isVoter
    this.addresses = layout.addresses
    this.directory = layout.directory
    this.#propertiesFile = join(dirname(layout.directory), `${layout.name}.properties`)
    const lines = Object.entries(options.properties).map(([name, value]) => `${name}=${value}`)
    writeFileSync(this.#propertiesFile, `${lines.join('\n')}\n`)
  }

  get isUp(): boolean {
    return this.#process !== null
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Rejects when the process ends before it serves clients. */
  async start(): Promise<void> {
    await this.#format()
    const started = this.#run('kafka.Kafka', [this.#propertiesFile])
    this.#process = started
    this.#isPaused = false
    void started.ended.then(() => {
      if (this.#process !== started) return
      this.#process = null
      this.#options.onDied(started.output)
    })
    while (this.#process === started) {
      if (!this.#isPaused && (await this.#isServing())) return
      await pause(ASK_EVERY_MS)
    }
    if (!started.isRunning && started.exitCode !== null) {
      throw new KafketteError('BROKER_START', `${this.name} ended: ${started.output}`)
    }
  }

  async kill(): Promise<void> {
    const running = this.#release()
    running?.signal('SIGKILL')
    await running?.ended
  }

  async shutdown(): Promise<void> {
    this.resume()
    const running = this.#release()
    if (running === null) return
    running.signal('SIGTERM')
    const timer = setTimeout(() => running.signal('SIGKILL'), SHUTDOWN_TIMEOUT_MS)
    await running.ended
    clearTimeout(timer)
  }

  pause(): void {
    if (this.#process === null || this.#isPaused) return
    this.#isPaused = true
    this.#process.signal('SIGSTOP')
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#process?.signal('SIGCONT')
  }

  abandon(): void {
    this.#process?.signal('SIGKILL')
  }

  /** What runs, which from now on may end. */
  #release(): JavaProcess | null {
    const running = this.#process
    this.#process = null
    this.#isPaused = false
    return running
  }

  /** A directory that is empty has to be given to the cluster first, also one that was wiped. */
  async #format(): Promise<void> {
    if (existsSync(join(this.directory, 'meta.properties'))) return
    mkdirSync(this.directory, { recursive: true })
    const { clusterId } = this.#options
    const parameters = ['format', '--cluster-id', clusterId, '--config', this.#propertiesFile]
    const format = this.#run('kafka.tools.StorageTool', parameters)
    await format.ended
    if (format.exitCode === 0) return
    throw new KafketteError('BROKER_START', `${this.name} could not be formatted: ${format.output}`)
  }

  #run(mainClass: string, parameters: readonly string[]): JavaProcess {
    const { java, jars } = this.#options
    return new JavaProcess({
      java,
      jars,
      mainClass,
      parameters,
      directory: dirname(this.directory),
    })
  }

  /** Registered and unfenced: it names itself among the brokers. */
  #isServing(): Promise<boolean> {
    const { host, client } = this.addresses
    const connection = new ClientConnection({
      network: new NodeNetwork(),
      clock: new NodeClock(),
      address: { host, port: client.port },
      clientId: 'launcher',
    })
    const body = { topics: [], allowAutoTopicCreation: false }
    return new Promise((resolve) => {
      connection.request(metadataApi, METADATA_VERSION, body, ASK_TIMEOUT_MS, (_, answer) => {
        connection.close()
        resolve(answer?.brokers.some(({ nodeId }) => nodeId === this.id) ?? false)
      })
    })
  }
}
