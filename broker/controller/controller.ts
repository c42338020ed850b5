import { assert } from '../../src/base/assert.ts'
import type { Config } from '../../src/base/config-def.ts'
import type { BrokerId, LeaderEpoch, Offset } from '../../src/base/ids.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { EventSink } from '../../src/ports/events.ts'
import type { Random } from '../../src/ports/random.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import type { Input } from '../../src/wire/schema.ts'
import type {
  AllocateProducerIdsRequest,
  AllocateProducerIdsResponse,
} from '../../src/wire/messages/67-allocate-producer-ids.ts'
import type {
  AlterPartitionRequest,
  AlterPartitionResponse,
} from '../../src/wire/messages/56-alter-partition.ts'
import type {
  BrokerHeartbeatRequest,
  BrokerHeartbeatResponse,
} from '../../src/wire/messages/63-broker-heartbeat.ts'
import type {
  BrokerRegistrationRequest,
  BrokerRegistrationResponse,
} from '../../src/wire/messages/62-broker-registration.ts'
import type {
  CreatePartitionsRequest,
  CreatePartitionsResponse,
} from '../../src/wire/messages/37-create-partitions.ts'
import type {
  CreateTopicsRequest,
  CreateTopicsResponse,
} from '../../src/wire/messages/19-create-topics.ts'
import type {
  DeleteTopicsRequest,
  DeleteTopicsResponse,
} from '../../src/wire/messages/20-delete-topics.ts'
import type {
  ElectLeadersRequest,
  ElectLeadersResponse,
} from '../../src/wire/messages/43-elect-leaders.ts'
import type {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../src/wire/messages/44-incremental-alter-configs.ts'
import type {
  UnregisterBrokerRequest,
  UnregisterBrokerResponse,
} from '../../src/wire/messages/64-unregister-broker.ts'
import type {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from '../../src/wire/messages/45-alter-partition-reassignments.ts'
import type {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse,
} from '../../src/wire/messages/46-list-partition-reassignments.ts'
import type {
  UpdateFeaturesRequest,
  UpdateFeaturesResponse,
} from '../../src/wire/messages/57-update-features.ts'
import type {
  AlterClientQuotasRequest,
  AlterClientQuotasResponse,
} from '../../src/wire/messages/49-alter-client-quotas.ts'
import type {
  AlterConfigsRequest,
  AlterConfigsResponse,
} from '../../src/wire/messages/33-alter-configs.ts'
import type {
  AssignReplicasToDirsRequest,
  AssignReplicasToDirsResponse,
} from '../../src/wire/messages/73-assign-replicas-to-dirs.ts'
import type { MetadataImage } from '../metadata/image.ts'
import { ActiveTerm, type AppendRecords } from './active-term.ts'
import { alterPartition } from './alter-partition.ts'
import { heartbeat } from './broker-heartbeat.ts'
import { registerBroker, unregisterBroker } from './broker-registration.ts'
import { alterConfigs, incrementalAlterConfigs, refusedConfigs } from './config-changes.ts'
import type { ConfigRules } from './control-context.ts'
import { assignReplicasToDirs } from './directory-assignment.ts'
import { updateFeatures } from './feature-changes.ts'
import { electLeaders, refusedElection } from './leader-election.ts'
import { apiError, type Outcome } from './outcome.ts'
import { createPartitions, refusedPartitions } from './partition-creation.ts'
import { allocateProducerIds } from './producer-ids.ts'
import { alterClientQuotas, refusedQuotas } from './quota-changes.ts'
import { alterPartitionReassignments, listPartitionReassignments } from './reassignment.ts'
import { createTopics, refusedCreation } from './topic-creation.ts'
import { deleteTopics, refusedDeletion } from './topic-deletion.ts'

export interface ControllerOptions {
  readonly nodeId: BrokerId
  readonly clusterId: string
  /** The node's settings, under Kafka's names. */
  readonly config: Config
  readonly configRules: ConfigRules
  readonly clock: Clock
  readonly random: Random
  readonly events: EventSink
  /** `Raft.append`. */
  readonly append: AppendRecords
  /** Levels that a new cluster begins with beside metadata.version: only what the brokers really serve. */
  readonly features?: ReadonlyMap<string, number>
}

/** Called once with the answer, possibly from within the call that asked. */
export type Respond<Response> = (response: Input<Response>) => void

/**
 * The controller of a cluster, active on the leader of the metadata quorum and idle on the others.
 * An operation reads the image, appends its records, replays them at once and answers when the log is committed up
 * to where it then ended: no answer tells of anything that a later controller may not know (decision 0002, Q13).
 * When inactive, and for everything pending when it resigns, the answer is NOT_CONTROLLER.
 */
export class Controller {
  readonly #options: ControllerOptions
  #term: ActiveTerm | null = null

  constructor(options: ControllerOptions) {
    this.#options = options
  }

  get isActive(): boolean {
    return this.#term !== null
  }

  /** What the active controller acts on, committed or not; null when inactive. Not to be changed. */
  get image(): MetadataImage | null {
    return this.#term?.context.image ?? null
  }

  /**
   * This node leads the quorum in `epoch` and `image`, which becomes the controller's own, holds everything before it.
   * It appends within the call.
   */
  activate(epoch: LeaderEpoch, image: MetadataImage): void {
    assert(this.#term === null, 'a controller resigns before it becomes active again')
    const { events, clock, append, nodeId, features = new Map() } = this.#options
    const term = new ActiveTerm({
      epoch,
      context: { ...this.#options, image },
      clock,
      events,
      append,
      features,
    })
    this.#term = term
    if (!term.start()) {
      this.#term = null
      return
    }
    events.emit('controller.activated', { controller: nodeId, epoch })
  }

  /** Answers everything pending with NOT_CONTROLLER and forgets the image. Safe to call when inactive. */
  resign(): void {
    const term = this.#term
    if (term === null) return
    this.#term = null
    term.stop()
    this.#options.events.emit('controller.resigned', { controller: this.#options.nodeId })
  }

  /** The metadata log is committed up to and including `lastOffset`. */
  onCommitted(lastOffset: Offset): void {
    this.#term?.onCommitted(lastOffset)
  }

  registerBroker(
    request: BrokerRegistrationRequest,
    respond: Respond<BrokerRegistrationResponse>,
  ): void {
    this.#perform(
      ({ context, sessions, nextOffset }) => registerBroker(context, sessions, request, nextOffset),
      (errorCode) => ({ errorCode }),
      respond,
    )
  }

  heartbeat(request: BrokerHeartbeatRequest, respond: Respond<BrokerHeartbeatResponse>): void {
    this.#perform(
      ({ context, sessions }) => heartbeat(context, sessions, request),
      (errorCode) => ({ errorCode }),
      respond,
    )
  }

  unregisterBroker(
    request: UnregisterBrokerRequest,
    respond: Respond<UnregisterBrokerResponse>,
  ): void {
    this.#perform(
      ({ context, sessions }) => unregisterBroker(context, sessions, request),
      (errorCode) => apiError(errorCode),
      respond,
    )
  }

  createTopics(
    _version: number,
    request: CreateTopicsRequest,
    respond: Respond<CreateTopicsResponse>,
  ): void {
    this.#perform(
      ({ context }) => createTopics(context, request),
      (errorCode) => refusedCreation(request, apiError(errorCode)),
      respond,
    )
  }

  deleteTopics(
    version: number,
    request: DeleteTopicsRequest,
    respond: Respond<DeleteTopicsResponse>,
  ): void {
    this.#perform(
      ({ context }) => deleteTopics(context, version, request),
      (errorCode) => refusedDeletion(request, apiError(errorCode)),
      respond,
    )
  }

  createPartitions(
    _version: number,
    request: CreatePartitionsRequest,
    respond: Respond<CreatePartitionsResponse>,
  ): void {
    this.#perform(
      ({ context }) => createPartitions(context, request),
      (errorCode) => refusedPartitions(request, apiError(errorCode)),
      respond,
    )
  }

  incrementalAlterConfigs(
    _version: number,
    request: IncrementalAlterConfigsRequest,
    respond: Respond<IncrementalAlterConfigsResponse>,
  ): void {
    this.#perform(
      ({ context }) => incrementalAlterConfigs(context, request),
      (errorCode) => refusedConfigs(request, apiError(errorCode)),
      respond,
    )
  }

  alterConfigs(
    _version: number,
    request: AlterConfigsRequest,
    respond: Respond<AlterConfigsResponse>,
  ): void {
    this.#perform(
      ({ context }) => alterConfigs(context, request),
      (errorCode) => refusedConfigs(request, apiError(errorCode)),
      respond,
    )
  }

  electLeaders(
    version: number,
    request: ElectLeadersRequest,
    respond: Respond<ElectLeadersResponse>,
  ): void {
    this.#perform(
      ({ context }) => electLeaders(context, version, request),
      (errorCode) => refusedElection(version, request, apiError(errorCode)),
      respond,
    )
  }

  alterPartition(
    version: number,
    request: AlterPartitionRequest,
    respond: Respond<AlterPartitionResponse>,
  ): void {
    this.#perform(
      ({ context }) => alterPartition(context, version, request),
      (errorCode) => ({ errorCode }),
      respond,
    )
  }

  assignReplicasToDirs(
    request: AssignReplicasToDirsRequest,
    respond: Respond<AssignReplicasToDirsResponse>,
  ): void {
    this.#perform(
      ({ context }) => assignReplicasToDirs(context, request),
      (errorCode) => ({ errorCode }),
      respond,
    )
  }

  alterPartitionReassignments(
    _version: number,
    request: AlterPartitionReassignmentsRequest,
    respond: Respond<AlterPartitionReassignmentsResponse>,
  ): void {
    this.#perform(
      ({ context }) => alterPartitionReassignments(context, request),
      (errorCode) => apiError(errorCode),
      respond,
    )
  }

  listPartitionReassignments(
    _version: number,
    request: ListPartitionReassignmentsRequest,
    respond: Respond<ListPartitionReassignmentsResponse>,
  ): void {
    this.#perform(
      ({ context }) => listPartitionReassignments(context, request),
      (errorCode) => apiError(errorCode),
      respond,
    )
  }

  updateFeatures(
    version: number,
    request: UpdateFeaturesRequest,
    respond: Respond<UpdateFeaturesResponse>,
  ): void {
    this.#perform(
      ({ context }) => updateFeatures(context, version, request),
      (errorCode) => apiError(errorCode),
      respond,
    )
  }

  alterClientQuotas(
    _version: number,
    request: AlterClientQuotasRequest,
    respond: Respond<AlterClientQuotasResponse>,
  ): void {
    this.#perform(
      ({ context }) => alterClientQuotas(context, request),
      (errorCode) => refusedQuotas(request, apiError(errorCode)),
      respond,
    )
  }

  allocateProducerIds(
    request: AllocateProducerIdsRequest,
    respond: Respond<AllocateProducerIdsResponse>,
  ): void {
    this.#perform(
      ({ context }) => allocateProducerIds(context, request),
      (errorCode) => ({ errorCode }),
      respond,
    )
  }

  #perform<Response>(
    operation: (term: ActiveTerm) => Outcome<Response>,
    refuse: (error: ErrorCode) => Input<Response>,
    respond: Respond<Response>,
  ): void {
    if (this.#term === null) respond(refuse(ErrorCode.NOT_CONTROLLER))
    else this.#term.perform(operation, refuse, respond)
  }
}
