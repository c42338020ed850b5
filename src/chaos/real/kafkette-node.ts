import { Broker } from '../../fixture/broker-handle.ts'
import { ProcessBroker } from '../../fixture/process-broker.ts'
import type { NodeEvent } from '../../ports/events.ts'
import type { NodeLayout } from './stage-layout.ts'
import type { NodeAddresses, StageNode } from './stage-node.ts'

export interface KafketteNodeOptions {
  readonly layout: NodeLayout
  readonly clusterId: string
  readonly properties: Readonly<Record<string, string>>
  readonly startTimeoutMs: number
  readonly onEvent: (event: NodeEvent) => void
  /** Its process ended although nobody asked it to. */
  readonly onDied: (reason: string) => void
}

/** A broker process of the fixture, as a node of a stage. */
export class KafketteNode implements StageNode {
  readonly id: number
  readonly name: string
  readonly isVoter: boolean
  readonly addresses: NodeAddresses
  readonly directory: string
  readonly #broker: Broker
  #isPaused = false

  constructor({ layout, ...options }: KafketteNodeOptions) {
    this.id = layout.id
    this.name = layout.name
    this.isVoter = layout.isVoter
    this.addresses = layout.addresses
    this.directory = layout.directory
    const { name } = layout
    const spec = {
      clusterId: options.clusterId,
      properties: options.properties,
      isTemporary: true,
    }
    this.#broker = new Broker({
      id: layout.id,
      host: layout.addresses.host,
      port: layout.addresses.client.proxyPort,
      startTimeoutMs: options.startTimeoutMs,
      situation: () => 'see the other nodes of the stage',
      run: () =>
        new ProcessBroker({
          id: layout.id,
          spec,
          onEvent: (event) => options.onEvent({ ...event, node: name }),
          onDied: (reason) => {
            if (this.#broker.died()) options.onDied(reason)
          },
        }),
    })
  }

  get isUp(): boolean {
    return this.#broker.isRunning
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  start(): Promise<void> {
    this.#isPaused = false
    return this.#broker.start()
  }

  kill(): Promise<void> {
    this.#isPaused = false
    return this.#broker.kill()
  }

  shutdown(): Promise<void> {
    this.resume()
    return this.#broker.stop()
  }

  pause(): void {
    if (!this.isUp || this.#isPaused) return
    process.kill(this.#broker.pid, 'SIGSTOP')
    this.#isPaused = true
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    if (this.isUp) process.kill(this.#broker.pid, 'SIGCONT')
  }

  abandon(): void {
    if (!this.isUp) return
    try {
      process.kill(this.#broker.pid, 'SIGKILL')
    } catch {
      // It is gone already.
    }
  }
}
