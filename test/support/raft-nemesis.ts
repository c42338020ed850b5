import type { SimRandom } from '../../src/sim/sim-random.ts'
import type { RaftCluster } from './raft-cluster.ts'

export interface NemesisOptions {
  /** Virtual time under faults. */
  readonly durationMs: number
  /** Crashes may take unsynced bytes and store changes with them. */
  readonly losesUnsynced: boolean
}

/**
 * Harasses a cluster with faults drawn from its seed (process and power crashes, restarts, one-way and
 * two-way cuts, a whole-cluster power cut, graceful stops) while records are appended, then heals it and
 * waits until it has converged.
 */
export function harass(cluster: RaftCluster, options: NemesisOptions): void {
  const random = cluster.world.random('nemesis')
  const endMs = cluster.world.scheduler.nowMs + options.durationMs
  cluster.startAll()
  while (cluster.world.scheduler.nowMs < endMs) {
    const turns = 1 + random.below(12)
    for (let turn = 0; turn < turns; turn += 1) {
      if (random.chance(800)) cluster.propose(random.chance(50) ? 5000 : 0)
      cluster.world.runFor(random.below(40))
    }
    misbehave(cluster, random, options.losesUnsynced)
    cluster.checkLogs(false)
  }
  cluster.heal()
  cluster.endStops()
  for (const id of cluster.ids) if (!cluster.isUp(id)) cluster.start(id)
  cluster.runUntilConverged()
  cluster.propose()
  cluster.world.runFor(5)
  cluster.runUntilConverged()
  cluster.checkLogs(true)
}

function misbehave(cluster: RaftCluster, random: SimRandom, losesUnsynced: boolean): void {
  const someone = (): number => cluster.ids[random.below(cluster.ids.length)] ?? 1
  const isPower = losesUnsynced && random.chance(500)
  switch (random.below(10)) {
    case 0:
      return cluster.crash(someone(), isPower)
    case 1:
      return cluster.crash(cluster.leader?.id ?? someone(), isPower)
    case 2:
    case 3:
      for (const id of cluster.ids) if (!cluster.isUp(id)) cluster.start(id)
      return
    case 4:
      return cluster.cut(someone(), someone())
    case 5:
      return cluster.isolate(random.chance(500) ? (cluster.leader?.id ?? someone()) : someone())
    case 6:
      return cluster.heal()
    case 7: {
      cluster.stop(someone(), isPower)
      return
    }
    case 8:
      if (losesUnsynced) cluster.cutPowerOnNextCommit()
      return
    default:
      // A process that dies leaves unsynced bytes behind; the power cut that follows takes them.
      for (const id of cluster.ids) cluster.crash(id)
      cluster.startAll()
      cluster.world.runFor(random.below(20))
      if (losesUnsynced) cluster.cutPower()
  }
}
