import type { Config } from '../src/base/config-def.ts'
import { DiskError, messageOf, type DiskErrorCode } from '../src/base/errors.ts'
import type { Address } from '../src/ports/network.ts'
import type { NodePorts } from '../src/ports/ports.ts'
import { API_HANDLERS } from './api/index.ts'
import { BrokerConfigs } from './broker-configs.ts'
import { BrokerPart } from './broker-part.ts'
import { ControllerPart } from './controller-part.ts'
import { listenerPlan, type ListenerPlan } from './listener-config.ts'
import { LiveNodeView } from './live-node-view.ts'
import {
  leaveMarks,
  openDirectories,
  syncClaims,
  type NodeDirectories,
} from './node-directories.ts'
import { nodeServices } from './node-services.ts'
import type { NodeView } from './node-view.ts'
import { QuorumPart } from './quorum-part.ts'
import type { CompactionSummary } from './replica/log-cleaner.ts'
import { Acceptor } from './server/acceptor.ts'
import { connectionLimitOf } from './server/connection-limit.ts'
import type { ListenerKind } from './server/request-context.ts'
import { ProtocolCap } from './server/protocol-cap.ts'
import { Router } from './server/router.ts'

export interface NodeOptions {
  /** As in server.properties, by Kafka's names. */
  readonly properties: Readonly<Record<string, string>>
  readonly clusterId: string
  /**
   * A broker is registered, unfenced and serves its partitions; a controller knows the quorum's leader and
   * has all that is committed. Called once, when both hold for a node that is both.
   */
  readonly onReady: () => void
  /** The node cannot go on; the owner drops it. */
  readonly onFatal: (error: Error) => void
}

/** `controlled`: the cluster goes on without this node. `whole-cluster`: all nodes end now. */
export type ShutdownKind = 'controlled' | 'whole-cluster'

/**
 * The parts of a node, by its roles, and who hears what from whom. Metadata flows from the quorum to the
 * publisher and from there to replicas and coordinators; requests flow from the acceptors through the routers.
 */
export class BrokerNode {
  /** The settings of now: dynamic ones change within it. */
  readonly config: Config
  readonly #configs: BrokerConfigs
  readonly #options: NodeOptions
  readonly #ports: NodePorts
  readonly #plan: ListenerPlan
  readonly #directories: NodeDirectories
  readonly #quorum: QuorumPart
  /** Null on a node that is a controller only. */
  readonly #broker: BrokerPart | null
  /** Null on a node that is a broker only. */
  readonly #controller: ControllerPart | null
  readonly #acceptors: readonly Acceptor[]
  readonly #view: NodeView
  #isEnding = false
  #wasReady = false

  constructor(options: NodeOptions, ports: NodePorts) {
    this.#options = options
    this.#ports = ports
    this.#configs = new BrokerConfigs(options.properties)
    this.config = this.#configs.live
    this.#plan = listenerPlan(this.config)
    const { clusterId } = options
    const { nodeId, config } = this
    this.#directories = openDirectories(config, ports, { clusterId, nodeId })
    const { metadataId: directoryId, previousBrokerEpoch } = this.#directories
    const common = { nodeId, clusterId, directoryId, config, ports }
    this.#quorum = new QuorumPart({
      ...common,
      voters: this.#plan.voters,
      isCleanStart: previousBrokerEpoch !== null,
      listener: this.#quorumListener(),
    })
    this.#quorum.publisher.subscribe((delta, image) => {
      if (this.#configs.apply(delta, image)) this.#broker?.onConfigsChanged()
    })
    const { isBroker, isController } = this.#plan.roles
    this.#controller = isController
      ? new ControllerPart({
          ...common,
          brokerConfigs: this.#configs,
          quorum: () => this.#quorum,
        })
      : null
    this.#broker = isBroker ? this.#createBroker() : null
    this.#acceptors = this.#createAcceptors()
    this.#view = new LiveNodeView({
      nodeId,
      quorum: this.#quorum,
      broker: this.#broker,
      controller: this.#controller,
    })
  }

  get nodeId(): number {
    return this.config.int('node.id')
  }

  /** A look into the node as it runs. Always the same object. */
  view(): NodeView {
    return this.#view
  }

  /**
   * Compacts now every log here that may be compacted, active segments closed first; `done` is called once. A node that
   * is no broker has none.
   */
  compact(done: (summary: CompactionSummary) => void): void {
    if (this.#broker === null) done({ partitions: 0, bytesBefore: 0, bytesAfter: 0 })
    else this.#broker.replicas.compactAll(done)
  }

  /** Applies retention to every log here now; returns how many segments went. */
  retain(): number {
    return this.#broker?.replicas.retainAll() ?? 0
  }

  /** Opens the listeners, then joins the quorum and the cluster. Errors arrive at `onFatal`. */
  start(): void {
    const failed = (code: DiskErrorCode): DiskError =>
      new DiskError(code, `the log directory cannot be synced: ${code}`)
    syncClaims(
      this.#ports,
      this.#directories,
      (path, code) => this.#broker?.failDirectory(path, failed(code)),
      (code) => {
        if (this.#isEnding) return
        if (code === null) this.#listen()
        else this.#fail(failed(code))
      },
    )
  }

  #listen(): void {
    let left = this.#acceptors.length
    for (const acceptor of this.#acceptors) {
      acceptor.listen((error) => {
        if (this.#isEnding) return
        if (error !== null) {
          this.#fail(error)
          return
        }
        left -= 1
        if (left > 0) return
        this.#quorum.raft.start()
        this.#broker?.start()
      })
    }
  }

  /**
   * Ends in order: logs are flushed and closed; `done` in any case. A controlled shutdown first moves all
   * leaderships away and leaves the quorum; when the whole cluster ends, that would be work for nothing.
   */
  shutdown(kind: ShutdownKind, done: () => void): void {
    if (this.#isEnding) {
      this.#ports.clock.after(0, 'node.shutdown-again', done)
      return
    }
    this.#isEnding = true
    let isClosing = false
    const close = (): void => {
      if (isClosing) return
      isClosing = true
      this.#close(kind, done)
    }
    const broker = this.#broker
    const isControlled = kind === 'controlled' && this.config.boolean('controlled.shutdown.enable')
    if (!isControlled || broker === null || !broker.lifecycle.isUnfenced) {
      close()
      return
    }
    this.#ports.clock.after(this.config.int('broker.session.timeout.ms'), 'node.shutdown', close)
    broker.beginControlledShutdown(close)
  }

  #close(kind: ShutdownKind, done: () => void): void {
    this.#broker?.lifecycle.stop()
    for (const acceptor of this.#acceptors) acceptor.close()
    this.#closeBroker((error) => {
      const finish = (): void => {
        this.#controller?.resign()
        this.#closeMetadata(error)
        done()
      }
      const { raft } = this.#quorum
      if (kind === 'controlled') {
        raft.stop(finish)
      } else {
        raft.close()
        finish()
      }
    })
  }

  /** The clean mark is left only when all files were: the next start checks what was not. */
  #closeMetadata(brokerError: Error | null): void {
    let failure = brokerError
    try {
      this.#quorum.close()
      const brokerEpoch = this.#broker?.lifecycle.brokerEpoch ?? -1
      const online = this.#broker?.directories.online ?? []
      if (failure === null) leaveMarks(this.#ports, online, brokerEpoch)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      failure ??= error
    }
    if (failure !== null) this.#ports.events.emit('node.unclean-end', { reason: failure.message })
  }

  #closeBroker(done: (error: Error | null) => void): void {
    if (this.#broker === null) done(null)
    else this.#broker.close(done)
  }

  #fail(error: Error): void {
    if (this.#isEnding) return
    this.#isEnding = true
    this.#ports.events.emit('node.failed', { reason: messageOf(error) })
    this.#options.onFatal(error)
  }

  #quorumListener(): ConstructorParameters<typeof QuorumPart>[0]['listener'] {
    return {
      onLeaderChange: () => {
        this.#broker?.onLeaderChange()
        this.#noteReady()
      },
      onPublished: (lastOffset) => {
        this.#controller?.onPublished(lastOffset)
        this.#broker?.onPublished()
        this.#noteReady()
      },
      onActivated: (epoch) => this.#controller?.activate(epoch),
      onResigned: () => this.#controller?.resign(),
      onFault: (error) => this.#fail(error),
    }
  }

  #createBroker(): BrokerPart {
    return new BrokerPart({
      nodeId: this.nodeId,
      clusterId: this.#options.clusterId,
      directories: this.#directories,
      config: this.config,
      plan: this.#plan,
      ports: this.#ports,
      quorum: this.#quorum,
      onUnfenced: () => this.#noteReady(),
      onFatal: (error) => this.#fail(error),
    })
  }

  /** A broker that is unfenced has caught up with the metadata: the controller saw its offset. */
  #noteReady(): void {
    if (this.#wasReady || this.#isEnding) return
    const isReady =
      this.#broker === null ? this.#quorum.isCaughtUp : this.#broker.lifecycle.isUnfenced
    if (!isReady) return
    this.#wasReady = true
    this.#options.onReady()
  }

  #createAcceptors(): readonly Acceptor[] {
    const { network, clock, events } = this.#ports
    const cap = ProtocolCap.of(this.config.nullableString('kafkette.protocol.version'))
    const services = nodeServices({
      nodeId: this.nodeId,
      clusterId: this.#options.clusterId,
      brokerConfigs: this.#configs,
      plan: this.#plan,
      ports: this.#ports,
      quorum: this.#quorum,
      cap,
      broker: this.#broker,
      controller: this.#controller,
    })
    const acceptor = (kind: ListenerKind, name: string, address: Address): Acceptor =>
      new Acceptor({
        network,
        clock,
        events,
        name,
        address,
        router: new Router(API_HANDLERS, kind, services, kind === 'broker' ? cap : null),
        maxFrameBytes: this.config.int('socket.request.max.bytes'),
        maxIdleMs: this.config.long('connections.max.idle.ms'),
        maxConnections: () => this.config.int('max.connections'),
        maxConnectionsOf: (host) =>
          connectionLimitOf(
            host,
            this.config.int('max.connections.per.ip'),
            this.config.string('max.connections.per.ip.overrides'),
          ),
      })
    return [
      ...this.#plan.controllers.map((listener) => acceptor('controller', listener.name, listener)),
      ...this.#plan.brokers.map((listener) => acceptor('broker', listener.name, listener)),
    ]
  }
}
