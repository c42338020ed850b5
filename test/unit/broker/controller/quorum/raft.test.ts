import { describe, expect, it } from 'vitest'
import { RaftCluster } from '../../../../support/raft-cluster.ts'

describe('a quorum', () => {
  it('of one elects itself', () => {
    const cluster = new RaftCluster({ seed: 1, voters: 1 })
    cluster.startAll()
    const leader = cluster.runUntilLeader(50)
    expect(leader.raft.epoch).toBe(1)
    expect(leader.calls).toEqual(['leader 1 @1', 'activated 1'])
  })
  it('of three elects the lowest at once', () => {
    const cluster = new RaftCluster({ seed: 1, voters: 3, observers: 1 })
    cluster.startAll()
    const leader = cluster.runUntilLeader(50)
    console.log(cluster.world.scheduler.nowMs, cluster.describe())
    for (let i = 0; i < 50; i++) { cluster.propose(); cluster.world.runFor(1) }
    cluster.runUntilConverged()
    console.log(cluster.world.scheduler.nowMs, cluster.describe())
    cluster.crash(leader.id)
    const t = cluster.world.scheduler.nowMs
    cluster.runUntilLeader()
    console.log('failover', cluster.world.scheduler.nowMs - t, cluster.describe())
    cluster.start(1)
    cluster.runUntilConverged()
    console.log(cluster.world.scheduler.nowMs, cluster.describe())
    const e = cluster.world.scheduler.eventsRun
    cluster.world.runFor(1000)
    console.log('idle events/s', cluster.world.scheduler.eventsRun - e)
    cluster.checkLogs(true)
    console.log(cluster.checker.counts)
  })
})
