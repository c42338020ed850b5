import type { NodeView } from '../../../broker/index.ts'
import { problemOf, type Problem } from '../run/problem.ts'
import { activeController } from './resolve-target.ts'
import type { SimCluster } from './sim-cluster.ts'

/**
 * Why the cluster is not whole, in the words that a stuck run is reported with; null when it is. All nodes run, they
 * know one controller and have the same metadata (L1), and every partition has a leader with all its
 * replicas in sync (L2).
 */
export function wholenessProblem(cluster: SimCluster): Problem | null {
  const quorum =
    downProblem(cluster) ??
    controllerProblem(cluster) ??
    brokerProblem(cluster) ??
    metadataProblem(cluster)
  return problemOf('L1', quorum) ?? problemOf('L2', partitionProblem(cluster))
}

/**
 * With nothing under way any more: replicas have the same end, all of it committed, everywhere known. As long as groups
 * commit, only the topics that are written by the workload can be `meant`.
 */
export function restProblem(
  cluster: SimCluster,
  isMeant: (topic: string) => boolean = () => true,
): string | null {
  for (const view of cluster.views.values()) {
    for (const leader of view.partitions()) {
      if (!leader.isLeader || !isMeant(leader.topic)) continue
      const end = leader.log.logEndOffset
      for (const id of leader.replicas) {
        const replica = cluster.views.get(id)?.partition(leader.key)?.log
        if (replica === undefined) return `broker ${id} does not host ${leader.key}`
        if (replica.logEndOffset !== end) {
          return `broker ${id} has ${leader.key} up to ${replica.logEndOffset} of ${end}`
        }
        if (replica.highWatermark !== end) {
          return `the high watermark of ${leader.key} on broker ${id} is ${replica.highWatermark} of ${end}`
        }
      }
    }
  }
  return null
}

function downProblem(cluster: SimCluster): string | null {
  for (const { name } of cluster.nodes) {
    if (!cluster.isRunning(name)) {
      const refusal = cluster.refusal(name)
      return refusal === null ? `${name} is down` : `${name} does not start: ${refusal}`
    }
    if (cluster.machine(name).isPaused) return `${name} is paused`
  }
  return null
}

function controllerProblem(cluster: SimCluster): string | null {
  const active = activeController(cluster)
  if (active === null) return 'no controller is active'
  for (const view of cluster.views.values()) {
    if (view !== active && view.controller?.isActive === true) {
      return `controllers ${active.nodeId} and ${view.nodeId} are both active`
    }
    if (view.quorum.leaderId !== active.nodeId) {
      return `node ${view.nodeId} takes ${view.quorum.leaderId} for the controller, not ${active.nodeId}`
    }
  }
  return null
}

function brokerProblem(cluster: SimCluster): string | null {
  const active = activeController(cluster)
  for (const { nodeId, isBroker } of cluster.nodes) {
    if (!isBroker) continue
    const registration = active?.image.brokers.get(nodeId)
    if (registration === undefined) return `broker ${nodeId} is not registered`
    if (registration.isFenced) return `broker ${nodeId} is fenced`
    const view = cluster.views.get(nodeId)
    if (view?.isUnfenced !== true) return `broker ${nodeId} does not know that it is unfenced`
    if (view.brokerEpoch !== registration.epoch) {
      return `broker ${nodeId} is of epoch ${view.brokerEpoch}, registered with ${registration.epoch}`
    }
  }
  return null
}

function metadataProblem(cluster: SimCluster): string | null {
  let first: NodeView | null = null
  for (const view of cluster.views.values()) {
    first ??= view
    if (view.image.lastOffset === first.image.lastOffset) continue
    return (
      `nodes ${first.nodeId} and ${view.nodeId} have applied the metadata up to ` +
      `${first.image.lastOffset} and ${view.image.lastOffset}`
    )
  }
  return null
}

function partitionProblem(cluster: SimCluster): string | null {
  const image = activeController(cluster)?.image
  if (image === undefined) return 'no controller is active'
  for (const topic of image.topicsByName.values()) {
    for (const state of topic.partitions.values()) {
      const key = `${topic.name}-${state.partition}`
      if (state.leader === -1) return `partition ${key} has no leader`
      if (state.isr.length < state.replicas.length) {
        return `partition ${key} has the ISR [${state.isr.join()}] of [${state.replicas.join()}]`
      }
      const leader = cluster.views.get(state.leader)?.partition(key)
      if (leader?.isLeader !== true || leader.leaderEpoch !== state.leaderEpoch) {
        return `broker ${state.leader} does not lead ${key} in epoch ${state.leaderEpoch}`
      }
    }
  }
  return null
}
