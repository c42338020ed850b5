import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KafketteError } from '../../src/base/errors.ts'
import { newClusterId } from '../../src/fixture/cluster-file.ts'
import { removeDirectory, temporaryDirectory } from '../../src/fixture/data-directory.ts'
import { findFreePort } from '../../src/real/free-port.ts'
import type { TargetAddresses } from './target.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const HOST = '127.0.0.1'
const KEPT_OUTPUT_BYTES = 4000

/** One node of ours as a process of its own, from a file with Kafka's settings. */
export class OurNode implements AsyncDisposable {
  readonly addresses: TargetAddresses
  readonly #process: ChildProcess
  readonly #directory: string
  #output = ''

  private constructor(addresses: TargetAddresses, file: string, directory: string) {
    this.addresses = addresses
    this.#directory = directory
    this.#process = spawn(process.execPath, [MAIN, 'server', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on('data', (bytes: Buffer) => {
        this.#output = (this.#output + bytes.toString()).slice(-KEPT_OUTPUT_BYTES)
      })
    }
    process.once('exit', this.#kill)
  }

  /** Resolves when it serves clients; rejects with its output when it ended instead. */
  static async start(properties: Readonly<Record<string, string>>): Promise<OurNode> {
    const directory = temporaryDirectory()
    const clusterId = newClusterId()
    const brokerPort = await findFreePort(HOST)
    const controllerPort = await findFreePort(HOST)
    const file = join(directory, 'node.properties')
    const settings = {
      'process.roles': 'broker,controller',
      'node.id': '1',
      'controller.quorum.voters': `1@${HOST}:${controllerPort}`,
      listeners: `PLAINTEXT://${HOST}:${brokerPort},CONTROLLER://${HOST}:${controllerPort}`,
      'controller.listener.names': 'CONTROLLER',
      'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
      'log.dirs': join(directory, 'data-1'),
      ...properties,
    }
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
    writeFileSync(file, lines.join(''))
    const format = spawnSync(process.execPath, [
      MAIN,
      'storage',
      'format',
      '-t',
      clusterId,
      '-c',
      file,
    ])
    if (format.status !== 0) throw new KafketteError('BROKER_START', String(format.stderr))
    const node = new OurNode({ clusterId, host: HOST, brokerPort, controllerPort }, file, directory)
    await node.#untilReady()
    return node
  }

  get pid(): number {
    return this.#process.pid ?? -1
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null
  }

  /** The last of what it wrote. */
  get output(): string {
    return this.#output
  }

  async stop(): Promise<void> {
    process.off('exit', this.#kill)
    if (this.isRunning) {
      const ended = once(this.#process, 'exit')
      this.#kill()
      await ended
    }
    removeDirectory(this.#directory)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  readonly #kill = (): void => {
    this.#process.kill('SIGKILL')
  }

  async #untilReady(): Promise<void> {
    while (!/^ready /m.test(this.#output)) {
      if (!this.isRunning) throw new KafketteError('BROKER_START', this.#output)
      await Promise.race([once(this.#process.stdout!, 'data'), once(this.#process, 'exit')])
    }
  }
}
