import type { Config } from '../src/base/config-def.ts'
import type { LeaderEpoch, Offset } from '../src/base/ids.ts'
import type { NodePorts } from '../src/ports/ports.ts'
import { readBootstrapFeatures } from './bootstrap-checkpoint.ts'
import type { BrokerConfigSources } from './config.ts'
import { configRules } from './config-rules.ts'
import { Controller } from './controller/controller.ts'
import { firstFeatures } from './metadata/features.ts'
import type { QuorumPart } from './quorum-part.ts'

export interface ControllerPartOptions {
  readonly nodeId: number
  readonly clusterId: string
  /** The settings of now. */
  readonly config: Config
  readonly brokerConfigs: BrokerConfigSources
  readonly ports: NodePorts
  readonly quorum: () => QuorumPart
}

/** What `process.roles=controller` adds to a node: the controller, active while the node leads the quorum. */
export class ControllerPart {
  readonly controller: Controller
  readonly #options: ControllerPartOptions
  #epoch: LeaderEpoch = -1

  constructor(options: ControllerPartOptions) {
    const { nodeId, clusterId, config, ports } = options
    this.#options = options
    this.controller = new Controller({
      nodeId,
      clusterId,
      config,
      configRules: configRules(config, options.brokerConfigs),
      clock: ports.clock,
      random: ports.random.fork('controller'),
      events: ports.events,
      append: (epoch, records) => options.quorum().raft.append(epoch, records),
      features: firstFeatures(readBootstrapFeatures(ports.disk)),
    })
  }

  get isActive(): boolean {
    return this.controller.isActive
  }

  /** Of its last term as the active controller; -1 when it never was. */
  get epoch(): LeaderEpoch {
    return this.#epoch
  }

  activate(epoch: LeaderEpoch): void {
    this.#epoch = epoch
    this.controller.activate(epoch, this.#options.quorum().publisher.image.clone())
  }

  resign(): void {
    this.controller.resign()
  }

  onPublished(lastOffset: Offset): void {
    this.controller.onCommitted(lastOffset)
  }
}
