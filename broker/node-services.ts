import { present } from '../src/base/assert.ts'
import type { NodePorts } from '../src/ports/ports.ts'
import { API_HANDLERS } from './api/index.ts'
import type { BrokerConfigs } from './broker-configs.ts'
import type { BrokerPart } from './broker-part.ts'
import type { ControllerPart } from './controller-part.ts'
import type { ListenerPlan } from './listener-config.ts'
import type { QuorumPart } from './quorum-part.ts'
import { ClientTelemetry } from './server/client-telemetry.ts'
import { BrokerLoggers } from './server/broker-loggers.ts'
import type { ProtocolCap } from './server/protocol-cap.ts'
import type { ListenerKind, NodeServices, ServedApi } from './server/request-context.ts'
import { Router, servedApis } from './server/router.ts'

const SIZE_PREFIX_BYTES = 4

export interface NodeParts {
  readonly nodeId: number
  readonly clusterId: string
  readonly brokerConfigs: BrokerConfigs
  readonly plan: ListenerPlan
  readonly ports: NodePorts
  readonly quorum: QuorumPart
  /** The older release that clients of the broker's listeners are to see. */
  readonly cap: ProtocolCap | null
  readonly broker: BrokerPart | null
  readonly controller: ControllerPart | null
}

/**
 * What stands behind the APIs of a node. A listener serves the APIs of its kind only, and a node has the
 * listeners of its roles only, so no request reaches a part that the node lacks: asking for one is an assertion.
 */
export function nodeServices(parts: NodeParts): NodeServices {
  const { nodeId, clusterId, brokerConfigs, plan, ports, quorum, cap } = parts
  const broker = (): BrokerPart => present(parts.broker, 'the broker of a controller')
  const served: Record<ListenerKind, readonly ServedApi[]> = {
    broker: servedApis(API_HANDLERS, 'broker', cap),
    controller: servedApis(API_HANDLERS, 'controller'),
  }
  let forwarded: Router | null = null
  const services: NodeServices = {
    nodeId,
    clusterId,
    config: brokerConfigs.live,
    brokerConfigs,
    brokerLoggers: new BrokerLoggers(),
    clock: ports.clock,
    events: ports.events,
    voters: plan.voters,
    image: () => quorum.publisher.image,
    raft: quorum.raft,
    get replicas() {
      return broker().replicas
    },
    get fetchSessions() {
      return broker().fetchSessions
    },
    get groups() {
      return broker().groups
    },
    get transactions() {
      return broker().transactions
    },
    get controllerChannel() {
      return broker().channel
    },
    get producerIds() {
      return broker().producerIds
    },
    get topicCreation() {
      return broker().topicCreation
    },
    get controller() {
      return present(parts.controller, 'the controller of a broker').controller
    },
    telemetry: new ClientTelemetry({
      config: brokerConfigs.live,
      configs: () => quorum.publisher.image.configs,
      random: ports.random.fork('telemetry'),
      events: ports.events,
    }),
    apiVersions: (listener) => served[listener],
    tellsFeatures: (listener) => listener === 'controller' || (cap?.hasFeatures ?? true),
    handleForwarded: (frame, origin, done) => {
      forwarded ??= new Router(API_HANDLERS, 'controller', services)
      forwarded.route(frame, origin, (outcome) => {
        const isAnswer = outcome !== 'none' && outcome !== 'close'
        done(isAnswer ? Buffer.concat(outcome).subarray(SIZE_PREFIX_BYTES) : null)
      })
    },
  }
  return services
}
