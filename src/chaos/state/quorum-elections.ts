import type { NodeView } from '../../../broker/index.ts'
import type { NodeEvent } from '../../ports/events.ts'
import { nodeIdOf } from './node-names.ts'
import type { ClusterState, StateCheck, StateReport } from './state-check.ts'

/** What is known of a node's votes and epochs. */
class Voter {
  /** Votes by epoch that the node must not take back. */
  readonly votes = new Map<number, number>()
  /** Those that others have counted: they were on disk, and outlive also a power cut. */
  readonly counted = new Map<number, number>()
  epoch = 0
  votedFor = -1
}

/**
 * Q1 Election safety: at most one leader per epoch. Q2 Vote once: a vote of an epoch never changes within a
 * life nor over a restart; after a power cut those remain that had been counted, for an answer leaves only
 * when its vote is on disk. Q3 Epoch monotonic: the same for the epoch itself.
 */
export class QuorumElectionsCheck implements StateCheck {
  readonly invariants = ['Q1', 'Q2', 'Q3'] as const
  /** Leader by epoch. */
  readonly leaders = new Map<number, number>()
  readonly #state: ClusterState
  readonly #report: StateReport
  readonly #voters = new Map<number, Voter>()

  constructor(state: ClusterState, report: StateReport) {
    this.#state = state
    this.#report = report
  }

  onEvent(event: NodeEvent): void {
    // Every event of every node comes here, nearly none of them of these two kinds.
    if (event.kind !== 'quorum.elected' && event.kind !== 'quorum.voted') return
    const nodeId = nodeIdOf(event.node)
    const epoch = event.fields['epoch']
    if (nodeId === null || typeof epoch !== 'number') return
    if (event.kind === 'quorum.elected') this.#onElected(nodeId, epoch, event.fields['granting'])
    if (event.kind === 'quorum.voted') {
      const candidate = event.fields['candidate']
      if (typeof candidate === 'number') this.#onVote(nodeId, epoch, candidate)
    }
  }

  onStart(node: NodeView, life: { readonly lostDisk: boolean; readonly lostTail: boolean }): void {
    const voter = this.#voterOf(node.nodeId)
    if (life.lostDisk) this.#voters.set(node.nodeId, new Voter())
    else if (life.lostTail) this.#forgetUncounted(voter)
    this.#checkStored(node, this.#voterOf(node.nodeId))
  }

  afterNode(node: NodeView): void {
    const { epoch, votedFor } = node.quorum
    const voter = this.#voterOf(node.nodeId)
    if (epoch === voter.epoch && votedFor === voter.votedFor) return
    this.#checkStored(node, voter)
  }

  #onElected(nodeId: number, epoch: number, granting: unknown): void {
    const known = this.leaders.get(epoch)
    this.#report.evaluated('Q1')
    if (known !== undefined && known !== nodeId) {
      this.#broken('Q1', `epoch ${epoch} has two leaders, ${known} and ${nodeId}`)
    }
    this.leaders.set(epoch, known ?? nodeId)
    if (!Array.isArray(granting)) return
    for (const id of granting) {
      if (typeof id === 'number') this.#onCounted(id, epoch, nodeId)
    }
  }

  #onCounted(voterId: number, epoch: number, candidate: number): void {
    this.#onVote(voterId, epoch, candidate)
    this.#voterOf(voterId).counted.set(epoch, candidate)
  }

  #onVote(voterId: number, epoch: number, candidate: number): void {
    const { votes } = this.#voterOf(voterId)
    const known = votes.get(epoch)
    if (known === undefined) {
      votes.set(epoch, candidate)
      return
    }
    this.#report.evaluated('Q2')
    if (known === candidate) return
    this.#broken('Q2', `node ${voterId} voted for ${known} and for ${candidate} in epoch ${epoch}`)
  }

  /** What the node shows of its election, against what it has said. */
  #checkStored(node: NodeView, voter: Voter): void {
    const { nodeId } = node
    const { epoch, votedFor } = node.quorum
    if (voter.epoch > 0) this.#report.evaluated('Q3')
    if (epoch < voter.epoch) {
      this.#broken('Q3', `node ${nodeId} went from epoch ${voter.epoch} back to ${epoch}`)
    }
    voter.epoch = Math.max(epoch, voter.epoch)
    voter.votedFor = votedFor
    const vote = voter.votes.get(epoch)
    if (vote === undefined) {
      if (votedFor !== -1) voter.votes.set(epoch, votedFor)
      return
    }
    this.#report.evaluated('Q2')
    if (vote === votedFor) return
    const now = votedFor === -1 ? 'has forgotten it' : `shows a vote for ${votedFor}`
    this.#broken('Q2', `node ${nodeId} voted for ${vote} in epoch ${epoch} and ${now}`)
  }

  #forgetUncounted(voter: Voter): void {
    voter.votes.clear()
    voter.epoch = 0
    for (const [epoch, candidate] of voter.counted) {
      voter.votes.set(epoch, candidate)
      voter.epoch = Math.max(voter.epoch, epoch)
    }
  }

  #broken(invariant: 'Q1' | 'Q2' | 'Q3', message: string): void {
    if (this.#state.budget.holdsQuorum) this.#report.violated(invariant, message)
  }

  #voterOf(nodeId: number): Voter {
    const known = this.#voters.get(nodeId)
    if (known !== undefined) return known
    const voter = new Voter()
    this.#voters.set(nodeId, voter)
    return voter
  }
}
