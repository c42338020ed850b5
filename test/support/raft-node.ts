import type { PartitionLog } from '../../broker/log/partition-log.ts'
import { openMetadataLog } from './metadata-log.ts'
import {
  Raft,
  type CommittedBatch,
  type RaftConfig,
  type RaftListener,
} from '../../broker/controller/quorum/raft.ts'
import type { Voter } from '../../broker/controller/quorum/voter-set.ts'
import { QuorumTransport } from '../../broker/server/raft-transport.ts'
import { WireError } from '../../src/base/errors.ts'
import { uuidFromBytes } from '../../src/base/uuid.ts'
import type { Connection, ConnectionHandler } from '../../src/ports/network.ts'
import type { NodePorts } from '../../src/ports/ports.ts'
import type { SimNode } from '../../src/sim/sim-node.ts'
import { FrameCutter } from '../../src/wire/frame.ts'
import { fetchApi } from '../../src/wire/messages/01-fetch.ts'
import { voteApi } from '../../src/wire/messages/52-vote.ts'
import { beginQuorumEpochApi } from '../../src/wire/messages/53-begin-quorum-epoch.ts'
import { endQuorumEpochApi } from '../../src/wire/messages/54-end-quorum-epoch.ts'
import { decodeRequestHeader, encodeResponse } from '../../src/wire/request.ts'
import { decodeMessage, type Api, type Input } from '../../src/wire/schema.ts'

export const CONTROLLER_PORT = 9093
export const CLUSTER_ID = 'raft-cluster-of-test-1'

/** What a checker may see of the requests and answers between nodes. */
export interface RaftProbe {
  onRequest(from: number, api: Api<unknown, unknown>, body: unknown): void
  onAnswer(from: number, api: Api<unknown, unknown>, request: unknown, answer: unknown): void
  onCommit(node: number, batches: readonly CommittedBatch[]): void
}

export interface RaftNodeOptions {
  readonly id: number
  readonly sim: SimNode
  readonly voters: readonly Voter[]
  readonly config: RaftConfig
  readonly probe: RaftProbe
}

/** One life of a raft node on a simulated machine: a log on its disk, a server, connections to the voters. */
export class RaftNode {
  readonly id: number
  readonly log: PartitionLog
  readonly raft: Raft
  readonly ports: NodePorts
  /** Callbacks in the order in which they came, e.g. `leader 1 @2`, `activated 2`. */
  readonly calls: string[] = []
  readonly committed: CommittedBatch[] = []
  activeEpoch: number | null = null
  fault: Error | null = null
  readonly #probe: RaftProbe
  readonly #transport: QuorumTransport

  constructor(options: RaftNodeOptions) {
    const { id, sim, voters, config, probe } = options
    this.id = id
    this.ports = sim.ports
    this.#probe = probe
    const { clock, random, store, events, network } = sim.ports
    this.log = openMetadataLog(sim.ports)
    this.#transport = new QuorumTransport({
      network,
      clock,
      clientId: `raft-${id}`,
      voters: new Map(voters.map(({ nodeId, host, port }) => [nodeId, { host, port }])),
    })
    this.raft = new Raft({
      ...{ nodeId: id, clusterId: CLUSTER_ID, directoryId: directoryOf(id), voters, config },
      ...{ clock, random: random.fork('raft'), store, events, log: this.log },
      transport: {
        send: (to, api, version, body, timeoutMs, done) => {
          probe.onRequest(id, api, body)
          this.#transport.send(to, api, version, body, timeoutMs, done)
        },
      },
      listener: this.#listener(),
    })
    const own = voters.find((voter) => voter.nodeId === id)
    const address = { host: own?.host ?? sim.name, port: own?.port ?? CONTROLLER_PORT }
    network.listen(
      address,
      (connection) => this.#accept(connection),
      () => {},
    )
    this.raft.start()
  }

  #listener(): RaftListener {
    return {
      onLeaderChange: (leaderId, epoch) => this.calls.push(`leader ${leaderId} @${epoch}`),
      onCommit: (batches) => {
        this.committed.push(...batches)
        this.#probe.onCommit(this.id, batches)
      },
      onActivated: (epoch) => {
        if (this.activeEpoch !== null) throw new Error('activated twice')
        this.activeEpoch = epoch
        this.calls.push(`activated ${epoch}`)
      },
      onResigned: () => {
        if (this.activeEpoch === null) throw new Error('resigned without an office')
        this.activeEpoch = null
        this.calls.push('resigned')
      },
      onFault: (error) => {
        this.fault = error
      },
    }
  }

  /** Answers the requests of a connection one after the other, as a broker does. */
  #accept(connection: Connection): ConnectionHandler {
    const queue: Buffer[] = []
    let isBusy = false
    const next = (): void => {
      while (!isBusy) {
        const frame = queue.shift()
        if (frame === undefined) return
        isBusy = true
        this.#dispatch(frame, (chunks) => {
          isBusy = false
          connection.write(chunks)
          next()
        })
      }
    }
    const cutter = new FrameCutter(10_000_000, (frame) => queue.push(frame))
    return {
      onData: (bytes) => {
        cutter.push(bytes)
        next()
      },
      onClose: () => {
        isBusy = true
      },
    }
  }

  #dispatch(frame: Buffer, write: (chunks: Buffer[]) => void): void {
    const { raft } = this
    switch (decodeRequestHeader(frame).apiKey) {
      case fetchApi.key:
        return this.#serve(fetchApi, frame, write, (version, request, respond) =>
          raft.handleFetch(version, request, respond),
        )
      case voteApi.key:
        return this.#serve(voteApi, frame, write, (_version, request, respond) =>
          raft.handleVote(request, respond),
        )
      case beginQuorumEpochApi.key:
        return this.#serve(beginQuorumEpochApi, frame, write, (_version, request, respond) =>
          raft.handleBeginQuorumEpoch(request, respond),
        )
      case endQuorumEpochApi.key:
        return this.#serve(endQuorumEpochApi, frame, write, (_version, request, respond) =>
          raft.handleEndQuorumEpoch(request, respond),
        )
      default:
        throw new WireError('a request that is no business of raft')
    }
  }

  #serve<Req, Res>(
    api: Api<Req, Res>,
    frame: Buffer,
    write: (chunks: Buffer[]) => void,
    handle: (version: number, request: Req, respond: (answer: Input<Res>) => void) => void,
  ): void {
    const { apiVersion, correlationId, reader } = decodeRequestHeader(frame)
    const request = decodeMessage(api.request, apiVersion, reader)
    handle(apiVersion, request, (answer) => {
      this.#probe.onAnswer(this.id, api, request, answer)
      write(encodeResponse(api, apiVersion, correlationId, answer as Input<NoInfer<Res>>))
    })
  }
}

/** The directory id of a node's metadata log. */
export function directoryOf(nodeId: number): string {
  const bytes = Buffer.alloc(16, 7)
  bytes.writeUInt32BE(nodeId, 12)
  return uuidFromBytes(bytes)
}
