import { describe, expect, it } from 'vitest'
import { MAX_BATCH_BYTES } from '../../../../../broker/controller/quorum/raft.ts'
import { KafketteError } from '../../../../../src/base/errors.ts'
import { metadataRecord } from '../../../../../src/wire/metadata-record.ts'
import { RaftCluster, nameOf } from '../../../../support/raft-cluster.ts'
import type { RaftNode } from '../../../../support/raft-node.ts'

/** Kafka's defaults. */
const KAFKA_CONFIG = {
  electionTimeoutMs: 1000,
  electionBackoffMaxMs: 1000,
  fetchTimeoutMs: 2000,
  requestTimeoutMs: 2000,
  retryBackoffMs: 20,
  fetchMaxWaitMs: 500,
}

function started(options: Partial<ConstructorParameters<typeof RaftCluster>[0]> = {}) {
  const cluster = new RaftCluster({ seed: 1, voters: 3, ...options })
  cluster.startAll()
  const leader = cluster.runUntilLeader()
  cluster.runUntilConverged()
  return { cluster, leader }
}

function namesOf(node: RaftNode): string[] {
  return node.committed.flatMap((batch) =>
    batch.records.map((record) => (record.type === 'TopicRecord' ? record.data.name : '?')),
  )
}

function now(cluster: RaftCluster): number {
  return cluster.world.scheduler.nowMs
}

describe('a new quorum', () => {
  it('of one voter leads itself within milliseconds', () => {
    const { cluster, leader } = started({ voters: 1 })
    expect(now(cluster)).toBeLessThan(30)
    expect(leader.raft.epoch).toBe(1)
    expect(leader.calls).toEqual(['leader -1 @1', 'leader 1 @1', 'activated 1'])
  })

  it.each([2, 3, 5])('of %i voters is led by the lowest within milliseconds', (voters) => {
    const { cluster, leader } = started({ voters, config: KAFKA_CONFIG })
    expect([leader.id, leader.raft.epoch]).toEqual([1, 1])
    expect(now(cluster)).toBeLessThan(60)
  })

  it('elects another voter when the lowest does not come', () => {
    const cluster = new RaftCluster({ seed: 3, voters: 3 })
    cluster.start(2)
    cluster.start(3)
    expect(cluster.runUntilLeader(3000).id).not.toBe(1)
  })

  it('begins its log with the LeaderChange batch, delivered without records', () => {
    const { leader } = started()
    expect(leader.committed).toHaveLength(1)
    expect(leader.committed[0]).toMatchObject({
      baseOffset: 0,
      lastOffset: 0,
      epoch: 1,
      records: [],
    })
  })
})

describe('appending', () => {
  it('delivers each batch on every node once and in order', () => {
    const { cluster, leader } = started({ observers: 1 })
    const names = Array.from({ length: 40 }, () => cluster.proposeTo(leader))
    cluster.runUntilConverged()
    for (const node of cluster.running) expect(namesOf(node)).toEqual(names)
  })

  it('returns the last offset of one atomic batch', () => {
    const { cluster, leader } = started()
    const records = ['a', 'b', 'c'].map((name) => metadataRecord('TopicRecord', { name }))
    expect(leader.raft.append(1, records)).toBe(3)
    cluster.runUntilConverged()
    for (const { committed } of cluster.running) {
      expect(committed[1]).toMatchObject({ baseOffset: 1, lastOffset: 3, epoch: 1, records })
    }
  })

  it('is refused with NOT_LEADER by followers, for other epochs and after a stop', () => {
    const { cluster, leader } = started()
    const records = [metadataRecord('TopicRecord', { name: 'a' })]
    const codeOf = (node: RaftNode, epoch: number): string => {
      try {
        node.raft.append(epoch, records)
      } catch (error) {
        if (error instanceof KafketteError) return error.code
      }
      return 'appended'
    }
    expect(codeOf(cluster.node(2), 1)).toBe('NOT_LEADER')
    expect(codeOf(leader, 0)).toBe('NOT_LEADER')
    expect(codeOf(leader, 2)).toBe('NOT_LEADER')
    leader.raft.stop()
    expect(codeOf(leader, 1)).toBe('NOT_LEADER')
  })

  it('refuses a list that is too large to be atomic, and copies one larger than a fetch', () => {
    const { cluster, leader } = started()
    const many = (count: number) =>
      Array.from({ length: count }, () =>
        metadataRecord('TopicRecord', { name: 'n'.repeat(10_000) }),
      )
    const tooMany = Math.ceil(MAX_BATCH_BYTES / 10_000)
    expect(() => leader.raft.append(1, many(tooMany))).toThrow(/at most/)
    expect(leader.raft.append(1, many(300))).toBe(300)
    cluster.runUntilConverged()
    expect(namesOf(cluster.node(3))).toHaveLength(300)
  })

  it('commits without waiting for the time that a fetch may be held', () => {
    const { cluster, leader } = started({ config: { ...KAFKA_CONFIG, fetchMaxWaitMs: 1000 } })
    cluster.world.runFor(300)
    const before = now(cluster)
    cluster.proposeTo(leader)
    cluster.runUntilConverged()
    expect(now(cluster) - before).toBeLessThan(40)
  })

  it('costs an idle quorum few requests', () => {
    const { cluster } = started({ config: KAFKA_CONFIG })
    let requests = 0
    const onRequest = cluster.checker.onRequest.bind(cluster.checker)
    cluster.checker.onRequest = (from, api, body) => {
      requests += 1
      onRequest(from, api, body)
    }
    cluster.world.runFor(10_000)
    expect(requests).toBeLessThanOrEqual(2 * 21)
  })
})

describe('losing the leader', () => {
  it('by a crash has another one active within a tenth of a second, with the default time-outs', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const { cluster, leader } = started({ seed, config: KAFKA_CONFIG })
      cluster.world.runFor(1000)
      cluster.crash(leader.id)
      const before = now(cluster)
      const next = cluster.runUntilLeader()
      expect(next.raft.epoch).toBe(2)
      expect(now(cluster) - before).toBeLessThan(150)
    }
  })

  it('by a stop has another one sooner still; the stop then says that it is done', () => {
    const { cluster, leader } = started({ voters: 5, config: KAFKA_CONFIG })
    cluster.proposeTo(leader)
    cluster.runUntilConverged()
    const before = now(cluster)
    let stoppedAtMs = 0
    leader.raft.stop(() => {
      stoppedAtMs = now(cluster)
    })
    expect(leader.calls.slice(-2)).toEqual(['resigned', 'leader -1 @1'])
    expect(cluster.runUntilLeader().raft.epoch).toBe(2)
    expect(now(cluster) - before).toBeLessThan(40)
    cluster.world.runFor(10)
    expect(stoppedAtMs).toBeGreaterThan(before)
  })

  it('by a cut makes it resign, and drop what was never committed when it is back', () => {
    const { cluster, leader } = started()
    cluster.isolate(leader.id)
    const lost = cluster.proposeTo(leader)
    cluster.world.runUntil(() => leader.activeEpoch === null, 1000)
    expect(leader.calls).toContain('resigned')
    const next = cluster.runUntilLeader()
    const kept = cluster.proposeTo(next)
    cluster.heal()
    cluster.runUntilConverged()
    expect(namesOf(leader)).toEqual([kept])
    expect(cluster.running.flatMap(namesOf)).not.toContain(lost)
    expect(cluster.checker.counts.truncations).toBe(1)
    cluster.checkLogs(true)
  })

  it('needs a majority: the rest of a split waits and loses nothing', () => {
    const { cluster } = started()
    cluster.crash(2)
    cluster.crash(3)
    cluster.world.runFor(5000)
    expect(cluster.leader).toBeNull()
    const { epoch } = cluster.node(1).raft
    // Epoch + 1 after the resignation; pre-votes raise it no further.
    expect(epoch).toBe(2)
    cluster.start(2)
    cluster.runUntilConverged()
  })
})

describe('a voter that was cut off', () => {
  it('does not disturb the leader when it is back (pre-vote)', () => {
    const { cluster, leader } = started()
    cluster.isolate(3)
    cluster.world.runFor(5000)
    expect(cluster.node(3).raft.roleKind).not.toBe('leader')
    cluster.proposeTo(leader)
    cluster.heal()
    cluster.runUntilConverged()
    expect([leader.raft.epoch, leader.calls.includes('resigned')]).toEqual([1, false])
  })

  it('in one direction only does not disturb it either', () => {
    for (const [from, to] of [
      [1, 3],
      [3, 1],
    ] as const) {
      const { cluster, leader } = started()
      cluster.cut(from, to)
      cluster.world.runFor(5000)
      expect([leader.raft.epoch, leader.activeEpoch]).toEqual([1, 1])
      cluster.heal()
      cluster.runUntilConverged()
    }
  })
})

describe('a restart', () => {
  it('of a follower delivers everything from the beginning again', () => {
    const { cluster, leader } = started()
    const names = [cluster.proposeTo(leader), cluster.proposeTo(leader)]
    cluster.runUntilConverged()
    cluster.crash(2, true)
    names.push(cluster.proposeTo(leader))
    const restarted = cluster.start(2)
    cluster.runUntilConverged()
    expect(namesOf(restarted)).toEqual(names)
    expect(restarted.committed[0]?.baseOffset).toBe(0)
  })

  it('of a single voter keeps what was committed through a power cut', () => {
    const { cluster, leader } = started({ voters: 1 })
    const name = cluster.proposeTo(leader)
    cluster.runUntilConverged()
    cluster.cutPower()
    const again = cluster.runUntilLeader(60)
    expect([again.raft.epoch, namesOf(again)]).toEqual([2, [name]])
  })

  it('of all nodes needs no election time-out when connections tell who is gone', () => {
    const { cluster } = started({ config: KAFKA_CONFIG })
    cluster.cutPower()
    const before = now(cluster)
    cluster.runUntilLeader()
    expect(now(cluster) - before).toBeLessThan(500)
  })
})

describe('an observer', () => {
  it('follows, is no part of any majority and is seen by the leader', () => {
    const { cluster, leader } = started({ voters: 1, observers: 2 })
    cluster.crash(101)
    const name = cluster.proposeTo(leader)
    cluster.runUntilConverged()
    expect(namesOf(cluster.node(102))).toEqual([name])
    expect(cluster.node(102).raft.roleKind).toBe('follower')
  })

  it('finds the next leader', () => {
    const { cluster, leader } = started({ observers: 1 })
    cluster.crash(leader.id)
    cluster.runUntilConverged()
    expect(cluster.node(101).raft.leaderId).not.toBe(leader.id)
    expect(
      cluster.world.trace
        .rows()
        .filter((row) => row.kind === 'quorum.voted')
        .every((row) => row.node !== nameOf(101)),
    ).toBe(true)
  })
})

describe('a disk or store that fails', () => {
  it('takes a leader out of the quorum, and the others go on', () => {
    const { cluster, leader } = started()
    cluster.world.node(nameOf(leader.id)).disk.failNext('fsync', 'EIO')
    cluster.proposeTo(leader)
    cluster.world.runUntil(() => leader.fault !== null, 100)
    expect(leader.fault?.message).toMatch(/durable/)
    expect(leader.calls.slice(-2)).toEqual(['resigned', 'leader -1 @1'])
    expect(cluster.runUntilLeader().id).not.toBe(leader.id)
  })

  it('on append does the same, and the append throws', () => {
    const { cluster, leader } = started()
    cluster.world.node(nameOf(leader.id)).disk.failNext('append', 'ENOSPC')
    expect(() => cluster.proposeTo(leader)).toThrow(/metadata log/)
    expect(leader.fault).toBeNull()
    // The disk would take it now, and it would be a record of a term that is over.
    const { logEndOffset } = leader.raft
    cluster.proposeTo(leader)
    expect(leader.raft.logEndOffset).toBe(logEndOffset)
    cluster.world.runUntil(() => leader.fault !== null, 100)
    expect(leader.activeEpoch).toBeNull()
  })

  it('on the read for a fetch that waits does the same, and the append that woke it has ended well', () => {
    const { cluster, leader } = started()
    cluster.world.runFor(20)
    cluster.world.node(nameOf(leader.id)).disk.failNext('read', 'EIO')
    expect(() => cluster.proposeTo(leader)).not.toThrow()
    cluster.world.runUntil(() => leader.fault !== null, 100)
    expect(leader.fault?.message).toMatch(/cannot be read/)
    expect(leader.activeEpoch).toBeNull()
    expect(cluster.runUntilLeader().id).not.toBe(leader.id)
  })

  it('keeps a voter that cannot store its vote silent', () => {
    const { cluster, leader } = started()
    const { store } = cluster.world.node(nameOf(2))
    cluster.crash(leader.id)
    cluster.world.runUntil(
      () => cluster.node(2).raft.epoch > 1 || cluster.node(3).raft.epoch > 1,
      500,
    )
    store.failNextSync(new Error('no space'))
    cluster.world.runFor(1000)
    expect(cluster.running.filter((node) => node.activeEpoch !== null).length).toBeLessThanOrEqual(
      1,
    )
    cluster.start(leader.id)
    cluster.runUntilLeader()
  })
})

describe('starting and stopping', () => {
  it('may stop before the start and more than once', () => {
    const { cluster, leader } = started()
    const follower = cluster.node(2)
    let count = 0
    follower.raft.stop(() => (count += 1))
    follower.raft.stop(() => (count += 1))
    leader.raft.stop(() => (count += 1))
    leader.raft.stop(() => (count += 1))
    expect(count).toBe(0)
    cluster.world.runFor(1000)
    expect(count).toBe(4)
  })

  it('closes at once and says nothing, in any state', () => {
    const { cluster, leader } = started()
    let isStopped = false
    leader.raft.stop(() => (isStopped = true))
    leader.raft.close()
    leader.raft.close()
    const follower = cluster.node(2)
    follower.raft.close()
    leader.log.close()
    follower.log.close()
    cluster.world.runFor(3000)
    expect([isStopped, leader.raft.isLeader, follower.calls.at(-1)]).toEqual([
      true,
      false,
      'leader 1 @1',
    ])
    expect(cluster.leader).toBeNull()
  })

  it('ends the stop of a leader although nobody answers', () => {
    const { cluster, leader } = started()
    cluster.isolate(leader.id)
    let isStopped = false
    leader.raft.stop(() => (isStopped = true))
    cluster.world.runFor(450)
    expect(isStopped).toBe(true)
  })
})
