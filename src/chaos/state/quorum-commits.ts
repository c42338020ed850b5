import type { NodeView } from '../../../broker/index.ts'
import type { NodeEvent } from '../../ports/events.ts'
import { hasBatch, indexAt, batchAt } from './batch.ts'
import type { MetadataObserver, MetadataWatch, QuorumGhost } from './metadata-watch.ts'
import { nodeIdOf } from './node-names.ts'
import type { QuorumElectionsCheck } from './quorum-elections.ts'
import type { StateCheck } from './state-check.ts'

/**
 * Q5 Leader completeness: an elected leader has every committed entry.
 * Q6 State machine safety: below its high watermark every node has the committed entries.
 * Q7 Commit rule: what the leader commits is on the disks of a majority of the voters, and ends with an entry of its epoch.
 * Q8 The high watermark grows: on a node within a life, and on the leader of the newest epoch over all lives.
 * Q10 and Q11: no log is cut below its high watermark, no committed entry is cut, and a majority of the voters
 * still has what was committed: none of them has taken back what it acknowledged. A node that ends because its leader
 * lacks what it knows to be committed is excused only when faults have taken committed entries from a voter.
 * Q13: entries of an epoch are first written by the leader of that epoch.
 */
export class QuorumCommitsCheck implements StateCheck, MetadataObserver {
  readonly invariants = ['Q5', 'Q6', 'Q7', 'Q8', 'Q10', 'Q11', 'Q13'] as const
  readonly #metadata: MetadataWatch
  readonly #elections: QuorumElectionsCheck
  readonly #written = new Map<number, number>()
  /** How far each node's log has been on its disk: a new life learns it again only by its first fsync. */
  readonly #durable = new Map<number, number>()
  /** A voter came back without committed entries that had been on its disk. */
  #hasVoterLost = false

  constructor(metadata: MetadataWatch, elections: QuorumElectionsCheck) {
    this.#metadata = metadata
    this.#elections = elections
    metadata.observe(this)
  }

  onEvent(event: NodeEvent): void {
    if (event.kind === 'quorum.committed-lost') this.#onCommittedLost(event)
    if (event.kind !== 'quorum.elected' && event.kind !== 'quorum.committed') return
    const nodeId = nodeIdOf(event.node)
    const node = nodeId === null ? undefined : this.#metadata.state.nodes.get(nodeId)
    if (node === undefined) return
    if (event.kind === 'quorum.elected' && this.#isLossExcused) this.#noteLoss(node)
    if (!this.#isWithinBudget) return
    if (event.kind === 'quorum.elected') this.#checkComplete(node)
    if (event.kind === 'quorum.committed' && node.quorum.role === 'leader') this.#checkRule(node)
  }

  onStart(node: NodeView, life: { readonly lostDisk: boolean }): void {
    const { isVoter, logEndOffset } = node.quorum
    const durable = this.#durable.get(node.nodeId) ?? 0
    if (isVoter && logEndOffset < Math.min(durable, this.#metadata.committedEnd)) {
      this.#hasVoterLost = true
    }
    if (life.lostDisk) this.#durable.delete(node.nodeId)
  }

  afterNode({ nodeId, quorum }: NodeView): void {
    const known = this.#durable.get(nodeId) ?? 0
    if (quorum.durableEndOffset > known) this.#durable.set(nodeId, quorum.durableEndOffset)
  }

  onMetadataAppended(quorum: QuorumGhost, _node: NodeView, fromIndex: number): void {
    const { batches } = quorum.log
    for (let index = fromIndex; index < batches.length; index += 1) {
      const epoch = batches[index]?.epoch ?? -1
      // Whoever shows an epoch first has written it; from then on it is copied.
      const leader = this.#elections.leaders.get(epoch)
      if (leader === undefined || this.#written.has(epoch)) continue
      const isLeaderUp = this.#metadata.state.nodes.has(leader)
      if (!isLeaderUp || !this.#isWithinBudget) continue
      this.#written.set(epoch, quorum.nodeId)
      this.#metadata.report.evaluated('Q13')
      if (quorum.nodeId === leader) continue
      const message = `node ${quorum.nodeId} wrote entries of epoch ${epoch}, which ${leader} leads`
      this.#metadata.report.violated('Q13', message)
    }
  }

  onMetadataTruncating(quorum: QuorumGhost, to: number): void {
    const { batches } = quorum.log
    const from = indexAt(batches, to)
    const durable = this.#durable.get(quorum.nodeId) ?? 0
    this.#durable.set(quorum.nodeId, Math.min(durable, to))
    if (from === batches.length || !this.#isWithinBudget) return
    const { report, committed } = this.#metadata
    const where = `the metadata log of node ${quorum.nodeId} was cut at ${to}`
    report.evaluated('Q10')
    report.evaluated('Q11')
    if (to < quorum.highWatermark) {
      report.violated('Q10', `${where}, below its high watermark ${quorum.highWatermark}`)
    }
    const cut = batches[from]
    if (cut !== undefined && hasBatch(committed, cut)) {
      report.violated('Q11', `${where}, ${cut.base} of it is committed`)
    }
  }

  onMetadataCommitted(quorum: QuorumGhost, _node: NodeView, before: number): void {
    const { report, committed, committedEnd } = this.#metadata
    if (!this.#isWithinBudget) return
    const { highWatermark, nodeId, log } = quorum
    report.evaluated('Q8')
    if (highWatermark < before) {
      report.violated(
        'Q8',
        `node ${nodeId}: the high watermark went from ${before} to ${highWatermark}`,
      )
    }
    const last = highWatermark - 1
    if (last < 0 || last >= log.endOffset || !log.isRooted) return
    report.evaluated('Q6')
    const own = batchAt(log.batches, last)
    if (highWatermark <= committedEnd && own === batchAt(committed, last)) return
    const held = own === null ? 'nothing' : `an entry of epoch ${own.epoch}`
    const what = `node ${nodeId} takes ${held} at ${last} for committed`
    report.violated('Q6', `${what}, others have committed another history`)
  }

  atBarrier(): void {
    const last = this.#metadata.committed.at(-1)
    if (last === undefined || !this.#isWithinBudget) return
    const voters = [...this.#metadata.nodes.values()].filter(({ isVoter }) => isVoter)
    const holders = voters.filter(({ log }) => hasBatch(log.batches, last)).length
    this.#metadata.report.evaluated('Q11')
    if (holders * 2 > voters.length) return
    const message = `the committed entry ${last.base} is on ${holders} of ${voters.length} voters`
    this.#metadata.report.violated('Q11', message)
  }

  get #isWithinBudget(): boolean {
    return this.#metadata.state.budget.holdsQuorum && !this.#metadata.isLost
  }

  get #isLossExcused(): boolean {
    return !this.#metadata.state.budget.holdsQuorum && this.#hasVoterLost
  }

  #noteLoss({ quorum }: NodeView): void {
    if (quorum.logEndOffset < this.#metadata.committedEnd) this.#metadata.noteLost()
  }

  #onCommittedLost({ node, fields }: NodeEvent): void {
    const { report } = this.#metadata
    report.evaluated('Q10')
    if (this.#isLossExcused) {
      this.#metadata.noteLost()
      return
    }
    const { to, highWatermark, epoch } = fields
    const where = `from ${String(to)} to ${String(highWatermark)}, and no fault has destroyed it`
    const what = `the leader of epoch ${String(epoch)} lacks what ${node} knows to be committed`
    report.violated('Q10', `${what}, ${where}`)
  }

  #checkComplete(node: NodeView): void {
    const { report, committed, committedEnd } = this.#metadata
    const last = committed.at(-1)
    const quorum = this.#metadata.nodes.get(node.nodeId)
    if (last === undefined || quorum === undefined) return
    report.evaluated('Q5')
    const { logEndOffset, epoch } = node.quorum
    const where = `node ${node.nodeId} is elected in epoch ${epoch}`
    if (logEndOffset < committedEnd) {
      report.violated(
        'Q5',
        `${where} with an end of ${logEndOffset}, committed is up to ${committedEnd}`,
      )
    } else if (quorum.log.endOffset >= last.end && !hasBatch(quorum.log.batches, last)) {
      report.violated('Q5', `${where} without the committed entry at ${last.base}`)
    }
  }

  #checkRule(node: NodeView): void {
    const { report, committedEnd } = this.#metadata
    const { highWatermark, epoch, log } = node.quorum
    const where = `node ${node.nodeId} commits up to ${highWatermark} in epoch ${epoch}`
    report.evaluated('Q7')
    const entryEpoch = log.epochAt(highWatermark - 1)
    if (entryEpoch !== epoch) {
      report.violated('Q7', `${where} by an entry of epoch ${entryEpoch}`)
    }
    const voters = [...this.#metadata.nodes.values()].filter(({ isVoter }) => isVoter)
    const holders = voters.filter((voter) => this.#endOf(voter) >= highWatermark).length
    if (holders * 2 <= voters.length) {
      report.violated('Q7', `${where}, which ${holders} of ${voters.length} voters have on disk`)
    }
    const newest = Math.max(...this.#elections.leaders.keys())
    if (epoch >= newest && highWatermark < committedEnd) {
      report.violated('Q8', `${where}, up to ${committedEnd} was committed before`)
    }
  }

  /** What a voter has on disk, for only that it may acknowledge; of a node that is down: as it was at its end. */
  #endOf({ nodeId, log }: QuorumGhost): number {
    const quorum = this.#metadata.state.nodes.get(nodeId)?.quorum
    if (quorum === undefined) return log.endOffset
    const durable = Math.max(quorum.durableEndOffset, this.#durable.get(nodeId) ?? 0)
    return Math.min(quorum.logEndOffset, durable)
  }
}
