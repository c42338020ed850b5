import type { GroupView, NodeView } from '../../../broker/index.ts'
import type { NodeEvent } from '../../ports/events.ts'
import type { HistoryEntry } from '../history/history.ts'
import type { MetadataWatch } from './metadata-watch.ts'
import { nodeIdOf } from './node-names.ts'
import type { ReplicaWatch } from './replica-watch.ts'
import type { StateCheck } from './state-check.ts'

const OFFSETS_TOPIC = '__consumer_offsets'

/** A group as one coordinator last showed it with a complete generation. */
interface Seen {
  readonly leaderEpoch: number
  readonly generation: number
  readonly leader: string | null
  readonly protocol: string | null
}

/**
 * G2 Generation monotonic: while one coordinator is in charge the generation of a group only grows, and one
 * generation has one protocol and one leader (unless the leader, a static member, was replaced under another
 * member id, KIP-345). A coordinator that takes over begins with no older generation than a member was
 * already told, for a generation is told when it is committed.
 */
export class GroupGenerationsCheck implements StateCheck {
  readonly invariants = ['G2'] as const
  readonly #watch: ReplicaWatch
  readonly #metadata: MetadataWatch
  readonly #seen = new Map<string, Seen>()
  /** Greatest generation that a member of the group has heard of. */
  readonly #told = new Map<string, number>()
  /** Nodes on which groups have changed, or were loaded, in this event. */
  readonly #changed = new Set<number>()
  readonly #loaded = new Set<number>()

  constructor(watch: ReplicaWatch, metadata: MetadataWatch) {
    this.#watch = watch
    this.#metadata = metadata
  }

  onEvent(event: NodeEvent): void {
    if (event.kind !== 'group.state-changed' && event.kind !== 'coordinator.loaded') return
    const nodeId = nodeIdOf(event.node)
    if (nodeId === null) return
    if (event.kind === 'group.state-changed') {
      this.#changed.add(nodeId)
      if (event.fields['state'] === 'Dead') {
        this.#seen.delete(seenKey(nodeId, String(event.fields['group'])))
      }
    }
    if (event.kind === 'coordinator.loaded') this.#loaded.add(nodeId)
  }

  /** What a coordinator without its disk knows nothing of is told by others, if anybody has it. */
  onStart({ nodeId }: NodeView, life: { readonly lostDisk: boolean }): void {
    if (!life.lostDisk || this.#watch.state.budget.holdsDurability) return
    for (const key of [...this.#seen.keys()]) {
      if (key.startsWith(seenKey(nodeId, ''))) this.#seen.delete(key)
    }
  }

  onHistory({ operation }: HistoryEntry): void {
    if (operation.op !== 'assigned') return
    const { group, generation } = operation
    this.#told.set(group, Math.max(generation, this.#told.get(group) ?? -1))
  }

  afterNode(node: NodeView): void {
    if (this.#changed.size === 0 && this.#loaded.size === 0) return
    const wasLoaded = this.#loaded.delete(node.nodeId)
    const hasChanged = this.#changed.delete(node.nodeId)
    if (!wasLoaded && !hasChanged) return
    for (const shard of node.groupShards()) {
      if (!shard.isActive) continue
      for (const group of shard.groups()) {
        this.#check(node.nodeId, shard.leaderEpoch, group)
        if (wasLoaded) this.#checkTold(node.nodeId, shard.partition, shard.leaderEpoch, group)
      }
    }
  }

  #check(nodeId: number, leaderEpoch: number, group: GroupView): void {
    const { report } = this.#watch
    const { groupId, generation, leader, protocol, state, members } = group
    const key = seenKey(nodeId, groupId)
    // Where the voters lost the metadata, topics, groups and epochs begin anew.
    const seen = this.#metadata.isLost ? undefined : this.#seen.get(key)
    const isComplete = state === 'Stable' || state === 'CompletingRebalance'
    if (seen !== undefined && seen.leaderEpoch === leaderEpoch) {
      report.evaluated('G2')
      const where = `group ${groupId} on node ${nodeId}`
      if (generation < seen.generation) {
        report.violated('G2', `${where}: generation ${seen.generation} went to ${generation}`)
      }
      const isSame = generation === seen.generation && isComplete
      if (isSame && protocol !== seen.protocol) {
        const both = `${seen.protocol} and ${protocol}`
        report.violated('G2', `${where}: generation ${generation} has two protocols, ${both}`)
      }
      const isReplaced = seen.leader === null || !members.includes(seen.leader)
      if (isSame && leader !== seen.leader && !isReplaced) {
        const both = `${seen.leader} and ${leader}`
        report.violated('G2', `${where}: generation ${generation} has two leaders, ${both}`)
      }
    }
    if (isComplete) this.#seen.set(key, { leaderEpoch, generation, leader, protocol })
  }

  #checkTold(nodeId: number, partition: number, leaderEpoch: number, group: GroupView): void {
    const told = this.#told.get(group.groupId)
    const { state, report } = this.#watch
    if (told === undefined || !state.budget.holdsDurability) return
    const current = this.#metadata.image.partition(OFFSETS_TOPIC, partition)
    // One that is no longer in charge, and does not know yet, may have loaded an older state.
    if (this.#metadata.isLost || current?.leaderEpoch !== leaderEpoch) return
    report.evaluated('G2')
    if (group.generation >= told) return
    const what = `group ${group.groupId} is loaded on node ${nodeId} with generation ${group.generation}`
    report.violated('G2', `${what}, a member was told ${told}`)
  }
}

function seenKey(nodeId: number, groupId: string): string {
  return `${nodeId} ${groupId}`
}
