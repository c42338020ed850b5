import { dumpOfReplay } from '../../../broker/group/group-replay.ts'
import type { GroupShardView, NodeView } from '../../../broker/index.ts'
import type { NodeEvent } from '../../ports/events.ts'
import type { ReplicaGhost } from './ghosts.ts'
import { nodeIdOf } from './node-names.ts'
import type { ReplicaWatch } from './replica-watch.ts'
import type { StateCheck } from './state-check.ts'

const OFFSETS_TOPIC = '__consumer_offsets'

/**
 * G5 Replay equality: what a coordinator holds in memory of a partition of `__consumer_offsets` is the fold of
 * its log (tombstones included): after every load and at the end.
 */
export class GroupReplayCheck implements StateCheck {
  readonly invariants = ['G5'] as const
  readonly #watch: ReplicaWatch
  readonly #loaded = new Map<number, number[]>()

  constructor(watch: ReplicaWatch) {
    this.#watch = watch
  }

  onEvent(event: NodeEvent): void {
    if (event.kind !== 'coordinator.loaded') return
    const nodeId = nodeIdOf(event.node)
    const partition = event.fields['partition']
    if (nodeId === null || typeof partition !== 'number') return
    const loaded = this.#loaded.get(nodeId)
    if (loaded === undefined) this.#loaded.set(nodeId, [partition])
    else loaded.push(partition)
  }

  afterNode(node: NodeView): void {
    if (this.#loaded.size === 0) return
    const loaded = this.#loaded.get(node.nodeId)
    if (loaded === undefined) return
    this.#loaded.delete(node.nodeId)
    for (const shard of node.groupShards()) {
      if (loaded.includes(shard.partition)) this.#compare(node, shard)
    }
  }

  atEnd(): void {
    for (const node of this.#watch.state.nodes.values()) {
      for (const shard of node.groupShards()) this.#compare(node, shard)
    }
  }

  #compare(node: NodeView, shard: GroupShardView): void {
    if (!shard.isActive) return
    const replica = this.#replicaOf(node, shard.partition)
    if (replica === null) return
    const { log } = replica.partition
    const end = log.logEndOffset
    if (end === log.logStartOffset) return
    const { report } = this.#watch
    report.evaluated('G5')
    const own = shard.dump()
    const due = dumpOfReplay((offset) => replica.log.bytesAt(offset), log.logStartOffset, end)
    if (own === due) return
    report.violated('G5', `${replica.name}: ${difference(own, due)}`)
  }

  #replicaOf(node: NodeView, partition: number): ReplicaGhost | null {
    const hosted = node.partition(`${OFFSETS_TOPIC}-${partition}`)
    if (hosted === null) return null
    const ghost = this.#watch.ghosts.get(`${hosted.topicId}-${partition}`)
    return ghost === undefined ? null : this.#watch.live(ghost, node.nodeId)
  }
}

function difference(own: string, due: string): string {
  const [held, replayed] = [own.split('\n'), due.split('\n')]
  const at = held.findIndex((line, index) => line !== replayed[index])
  const index = at === -1 ? held.length : at
  return `memory has "${held[index] ?? 'no more'}", the log gives "${replayed[index] ?? 'no more'}"`
}
