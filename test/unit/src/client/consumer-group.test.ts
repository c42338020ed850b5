import { describe, expect, it } from 'vitest'
import type { Properties } from '../../../../src/client/client-config.ts'
import { Consumer, type RebalanceListener } from '../../../../src/client/consumer.ts'
import { topicPartitionKey, type TopicPartition } from '../../../../src/base/topic-partition.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { fetchApi } from '../../../../src/wire/messages/01-fetch.ts'
import { findCoordinatorApi } from '../../../../src/wire/messages/10-find-coordinator.ts'
import { heartbeatApi } from '../../../../src/wire/messages/12-heartbeat.ts'
import { joinGroupApi } from '../../../../src/wire/messages/11-join-group.ts'
import { leaveGroupApi } from '../../../../src/wire/messages/13-leave-group.ts'
import { offsetCommitApi } from '../../../../src/wire/messages/08-offset-commit.ts'
import { offsetFetchApi } from '../../../../src/wire/messages/09-offset-fetch.ts'
import { syncGroupApi } from '../../../../src/wire/messages/14-sync-group.ts'
import { ScriptedCluster } from '../../../support/scripted-cluster.ts'
import { ScriptedGroup } from '../../../support/scripted-group.ts'
import { settle, settleFor } from '../../../support/sim-promise.ts'

function setUp(options: { brokers?: number; partitions?: number } = {}) {
  const scripted = new ScriptedCluster({ brokers: options.brokers ?? 1, seed: 9 })
  scripted.createTopic('t', options.partitions ?? 4)
  const group = new ScriptedGroup(scripted)
  const { world } = scripted
  const log: string[] = []
  const listenerOf = (name: string): RebalanceListener => {
    const note =
      (what: string) =>
      (partitions: readonly TopicPartition[]): void => {
        log.push(
          `${name} ${what} ${partitions.map(({ topic, partition }) => topic + partition).join()}`,
        )
      }
    return { onAssigned: note('assigned'), onRevoked: note('revoked'), onLost: note('lost') }
  }
  const open = (name: string, properties: Properties = {}, listener?: RebalanceListener) => {
    const { ports } = world.node(name)
    const consumer = new Consumer(
      {
        'bootstrap.servers': scripted.bootstrap,
        'group.id': 'g',
        'client.id': name,
        'auto.offset.reset': 'earliest',
        'enable.auto.commit': 'false',
        'heartbeat.interval.ms': '100',
        'session.timeout.ms': '1000',
        ...properties,
      },
      ports,
    )
    consumer.subscribe(['t'], listener ?? listenerOf(name))
    return consumer
  }
  /** Polls all in turn for a while. */
  const pollAll = async (
    consumers: readonly Consumer[],
    ms: number,
  ): Promise<readonly string[]> => {
    const values: string[] = []
    const endMs = world.scheduler.nowMs + ms
    while (world.scheduler.nowMs < endMs) {
      const got = await settle(world, Promise.all(consumers.map((each) => each.poll(50))))
      values.push(...got.flat().map(({ value }) => value!.toString()))
    }
    return values
  }
  const done = <T>(promise: Promise<T>): Promise<T> => settle(world, promise)
  const shares = (consumer: Consumer): string =>
    consumer
      .assignment()
      .map(({ topic, partition }) => topicPartitionKey(topic, partition))
      .join()
  return { scripted, world, group, log, listenerOf, open, pollAll, done, shares }
}

describe('Consumer in a group', () => {
  it('joins with the member id it is told, syncs, and reads its share', async () => {
    const { scripted, group, log, open, pollAll } = setUp()
    scripted.fill('t', 2, ['a'])
    const consumer = open('c')
    expect([consumer.memberId(), consumer.generation()]).toEqual(['', -1])
    expect(await pollAll([consumer], 300)).toEqual(['a'])
    const joins = scripted.broker(1).requests(joinGroupApi)
    expect(joins.map(({ body }) => body.memberId)).toEqual(['', 'member-1'])
    expect(joins[1]!.body).toMatchObject({ sessionTimeoutMs: 1000, protocolType: 'consumer' })
    expect([consumer.memberId(), consumer.generation()]).toEqual(['member-1', 1])
    expect([group.state, log]).toEqual(['stable', ['c assigned t0,t1,t2,t3']])
  })

  it('commits nothing without an error, member or not', async () => {
    const { scripted, open, done } = setUp()
    await done(open('c').commitSync())
    expect(scripted.broker(1).requests(offsetCommitApi)).toEqual([])
  })

  it('heartbeats between polls', async () => {
    const { scripted, world, open, pollAll } = setUp()
    const consumer = open('c')
    await pollAll([consumer], 200)
    const before = scripted.broker(1).requests(heartbeatApi).length
    await settleFor(world, 1000)
    const beats = scripted.broker(1).requests(heartbeatApi).slice(before)
    expect(beats.length).toBeGreaterThan(7)
    expect(beats.every(({ body }) => body.memberId === 'member-1')).toBe(true)
  })

  it('shares partitions with a second member and takes them back when it leaves', async () => {
    const { world, log, open, pollAll, done, shares } = setUp()
    const a = open('a')
    await pollAll([a], 200)
    const b = open('b')
    await pollAll([a, b], 500)
    expect([shares(a), shares(b)]).toEqual(['t-0,t-1', 't-2,t-3'])
    await done(b.close())
    await pollAll([a], 500)
    expect(shares(a)).toBe('t-0,t-1,t-2,t-3')
    expect(log.slice(2, 4).sort()).toEqual(['a assigned t0,t1', 'b assigned t2,t3'])
    expect([...log.slice(0, 2), ...log.slice(4)]).toEqual([
      'a assigned t0,t1,t2,t3',
      'a revoked t0,t1,t2,t3',
      'b revoked t2,t3',
      'a revoked t0,t1',
      'a assigned t0,t1,t2,t3',
    ])
    await done(a.close())
    await settleFor(world, 100)
    expect(log.at(-1)).toBe('a revoked t0,t1,t2,t3')
  })

  it('changes nothing between two polls', async () => {
    const { world, log, open, pollAll, shares } = setUp()
    const a = open('a')
    await pollAll([a], 200)
    const b = open('b')
    const waiting = b.poll(5000)
    await settleFor(world, 1000)
    expect([log, shares(a)]).toEqual([['a assigned t0,t1,t2,t3'], 't-0,t-1,t-2,t-3'])
    await pollAll([a], 300)
    expect(shares(a)).toBe('t-0,t-1')
    await settle(world, waiting)
    expect(shares(b)).toBe('t-2,t-3')
  })

  it('waits for a listener that takes its time, and lets it commit', async () => {
    const { scripted, world, group, open, listenerOf, pollAll, done } = setUp()
    scripted.fill('t', 0, ['a', 'b', 'c'])
    const steps: string[] = []
    const a: Consumer = open(
      'a',
      {},
      {
        onRevoked: async () => {
          steps.push('begin')
          await a.commitSync()
          await new Promise<void>((resolve) => {
            world.node('a').ports.clock.after(200, 'slow', resolve)
          })
          steps.push('end')
        },
        onAssigned: () => {
          steps.push('assigned')
        },
      },
    )
    await pollAll([a], 200)
    const b = open('b', {}, listenerOf('b'))
    await pollAll([a, b], 1000)
    expect(steps).toEqual(['assigned', 'begin', 'end', 'assigned'])
    expect(group.offsets.get('t-0')).toBe(3)
    await done(b.close())
  })

  it('gives the error of a listener to the poll and goes on', async () => {
    const { world, open, pollAll, shares } = setUp()
    let count = 0
    const a = open(
      'a',
      {},
      {
        onAssigned: () => {
          count += 1
          if (count === 1) throw new Error('not ready')
        },
      },
    )
    await expect(pollAll([a], 500)).rejects.toThrow('not ready')
    await settle(world, a.poll(100))
    expect(shares(a)).toBe('t-0,t-1,t-2,t-3')
  })

  it('resumes where its group committed', async () => {
    const { scripted, group, open, pollAll, done } = setUp()
    scripted.fill('t', 0, ['a', 'b', 'c'])
    scripted.fill('t', 1, ['x'])
    group.offsets.set('t-0', 1)
    const a = open('a')
    expect([...(await pollAll([a], 300))].sort()).toEqual(['b', 'c', 'x'])
    await done(a.commitSync([{ topic: 't', partition: 0, offset: 2, metadata: 'm' }]))
    await done(a.close())
    const b = open('b')
    expect([...(await pollAll([b], 300))].sort()).toEqual(['c', 'x'])
    const committed = await done(b.committed([{ topic: 't', partition: 0 }]))
    expect(committed.get('t-0')).toMatchObject({ offset: 2 })
  })

  it('asks no leader that is older than the committed offset', async () => {
    const { scripted, group, open, pollAll } = setUp({ brokers: 2, partitions: 1 })
    scripted.fill('t', 0, ['a', 'b'])
    group.offsets.set('t-0', 1)
    group.offsetEpochs.set('t-0', 1)
    const a = open('a')
    expect(await pollAll([a], 1000)).toEqual([])
    expect(scripted.broker(1).requests(fetchApi)).toEqual([])
    scripted.moveLeader('t', 0, 2)
    expect(await pollAll([a], 1000)).toEqual(['b'])
  })

  it('commits under its generation, by topic id', async () => {
    const { scripted, open, pollAll, done } = setUp()
    scripted.fill('t', 0, ['a', 'b'])
    const a = open('a')
    await pollAll([a], 300)
    await done(a.commitSync())
    const [commit] = scripted.broker(1).requests(offsetCommitApi)
    expect(commit!.body).toMatchObject({ generationIdOrMemberEpoch: 1, memberId: 'member-1' })
    expect(commit!.body.topics).toEqual([
      expect.objectContaining({ topicId: scripted.topics.get('t')!.id }),
    ])
    const first = commit!.body.topics[0]!.partitions[0]!
    expect(first).toMatchObject({ partitionIndex: 0, committedOffset: 2, committedLeaderEpoch: 0 })
  })

  it('retries commits that may go well, and fails those of a member that is out', async () => {
    const { scripted, group, world, log, open, pollAll, done } = setUp()
    const a = open('a')
    await pollAll([a], 300)
    const loading = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
    const partitions = [{ partitionIndex: 0, errorCode: loading }]
    const topicId = scripted.topics.get('t')!.id
    scripted
      .broker(1)
      .next(offsetCommitApi, (_request, reply) => reply({ topics: [{ topicId, partitions }] }))
    await done(a.commitSync([{ topic: 't', partition: 0, offset: 1 }]))
    expect(group.offsets.get('t-0')).toBe(1)
    group.kick('member-1')
    const late = a.commitSync([{ topic: 't', partition: 0, offset: 2 }])
    await expect(settle(world, late)).rejects.toMatchObject({ code: 'UNKNOWN_MEMBER_ID' })
    const outside: (Error | null)[] = []
    a.commitAsync([{ topic: 't', partition: 0, offset: 3 }], (error) => outside.push(error))
    await settleFor(world, 10)
    expect(outside).toEqual([expect.objectContaining({ code: 'UNKNOWN_MEMBER_ID' })])
    await pollAll([a], 500)
    expect(log).toEqual(['a assigned t0,t1,t2,t3', 'a lost t0,t1,t2,t3', 'a assigned t0,t1,t2,t3'])
    expect(group.offsets.get('t-0')).toBe(1)
  })

  it('loses its partitions when a heartbeat says that it is out, and joins anew', async () => {
    const { group, log, open, pollAll } = setUp()
    const a = open('a')
    await pollAll([a], 300)
    group.kick('member-1')
    await pollAll([a], 800)
    expect(log).toEqual(['a assigned t0,t1,t2,t3', 'a lost t0,t1,t2,t3', 'a assigned t0,t1,t2,t3'])
    expect([...group.members.keys()]).toEqual(['member-2'])
  })

  it('leaves when it is not polled for max.poll.interval.ms', async () => {
    const { world, group, log, open, pollAll } = setUp()
    const a = open('a', { 'max.poll.interval.ms': '2000' })
    await pollAll([a], 300)
    await settleFor(world, 2500)
    expect(group.members.size).toBe(0)
    expect(log).toEqual(['a assigned t0,t1,t2,t3'])
    await pollAll([a], 500)
    expect(log.slice(1)).toEqual(['a lost t0,t1,t2,t3', 'a assigned t0,t1,t2,t3'])
  })

  it('follows its coordinator', async () => {
    const { scripted, world, group, log, open, pollAll, done } = setUp({ brokers: 2 })
    const a = open('a')
    await pollAll([a], 300)
    scripted.coordinator = 2
    await settleFor(world, 1000)
    await done(a.commitSync([{ topic: 't', partition: 0, offset: 7 }]))
    expect(group.offsets.get('t-0')).toBe(7)
    expect(scripted.broker(2).requests(heartbeatApi).length).toBeGreaterThan(3)
    expect(log).toHaveLength(1)
  })

  it('joins through every error that may pass', async () => {
    const { scripted, open, pollAll, shares } = setUp()
    const broker = scripted.broker(1)
    broker.next(
      findCoordinatorApi,
      (request, reply) => {
        const [key] = request.body.coordinatorKeys
        reply({ coordinators: [{ key, errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE }] })
      },
      (_request, reply) => reply.drop(),
    )
    broker.next(
      joinGroupApi,
      (_request, reply) => reply({ errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS }),
      (_request, reply) => reply({ errorCode: ErrorCode.NOT_COORDINATOR }),
      (_request, reply) => reply.drop(),
    )
    broker.next(
      syncGroupApi,
      (_request, reply) => reply({ errorCode: ErrorCode.REBALANCE_IN_PROGRESS }),
      (_request, reply) => reply.drop(),
    )
    broker.next(offsetFetchApi, (request, reply) => {
      const { groupId } = request.body.groups[0]!
      reply({ groups: [{ groupId, errorCode: ErrorCode.UNSTABLE_OFFSET_COMMIT }] })
    })
    scripted.fill('t', 0, ['a'])
    const a = open('a')
    expect(await pollAll([a], 6000)).toEqual(['a'])
    expect(shares(a)).toBe('t-0,t-1,t-2,t-3')
  })

  it('gives errors for good to the poll', async () => {
    const { scripted, open, pollAll } = setUp()
    const errorCode = ErrorCode.GROUP_AUTHORIZATION_FAILED
    scripted.broker(1).next(joinGroupApi, (_request, reply) => reply({ errorCode }))
    const a = open('a')
    await expect(pollAll([a], 500)).rejects.toMatchObject({ code: 'GROUP_AUTHORIZATION_FAILED' })
    await pollAll([a], 500)
    expect(a.assignment()).toHaveLength(4)
  })

  it('commits by itself between polls, on revocation and on close', async () => {
    const { scripted, group, open, pollAll, done } = setUp()
    scripted.fill('t', 0, ['a'])
    const a = open('a', { 'enable.auto.commit': 'true', 'auto.commit.interval.ms': '1000' })
    await pollAll([a], 300)
    expect(group.offsets.has('t-0')).toBe(false)
    await pollAll([a], 1500)
    expect(group.offsets.get('t-0')).toBe(1)
    scripted.fill('t', 0, ['b'])
    await pollAll([a], 100)
    const b = open('b')
    await pollAll([a, b], 400)
    expect(group.offsets.get('t-0')).toBe(2)
    scripted.fill('t', 0, ['c'])
    await pollAll([a, b], 200)
    await done(a.close())
    expect(group.offsets.get('t-0')).toBe(3)
  })

  it('rebalances when a topic grows or appears', async () => {
    const { scripted, open, pollAll, shares } = setUp({ partitions: 1 })
    const a = open('a', { 'metadata.max.age.ms': '300' })
    a.subscribe(['t', 'u'])
    await pollAll([a], 500)
    expect(shares(a)).toBe('t-0')
    scripted.createTopic('u', 1)
    await pollAll([a], 1500)
    expect(shares(a)).toBe('t-0,u-0')
    scripted.topics.get('t')!.partitions.push({ ...scripted.partition('t', 0), batches: [] })
    await pollAll([a], 1500)
    expect(shares(a)).toBe('t-0,t-1,u-0')
  })

  it('subscribes to all topics that match', async () => {
    const { scripted, open, pollAll, shares } = setUp({ partitions: 1 })
    scripted.createTopic('other', 1)
    const a = open('a', { 'metadata.max.age.ms': '300' })
    a.subscribe(/^t/)
    await pollAll([a], 500)
    expect(shares(a)).toBe('t-0')
    scripted.createTopic('tt', 1)
    await pollAll([a], 1500)
    expect(shares(a)).toBe('t-0,tt-0')
    expect(() => a.assign([])).toThrow('not both')
  })

  it('leaves on unsubscribe, and may assign afterwards', async () => {
    const { scripted, group, log, open, pollAll, done } = setUp()
    scripted.fill('t', 3, ['a'])
    const a = open('a')
    await pollAll([a], 300)
    await done(a.unsubscribe())
    expect([a.assignment(), group.members.size]).toEqual([[], 0])
    expect(log.at(-1)).toBe('a revoked t0,t1,t2,t3')
    a.assign([{ topic: 't', partition: 3 }])
    expect(await pollAll([a], 700)).toEqual(['a'])
    await done(a.commitSync())
    expect(group.offsets.get('t-3')).toBe(1)
  })

  it('does not leave on close as a static member', async () => {
    const { scripted, open, pollAll, done } = setUp()
    const a = open('a', { 'group.instance.id': 'static' })
    await pollAll([a], 300)
    await done(a.close())
    expect(scripted.broker(1).requests(joinGroupApi)[0]!.body.groupInstanceId).toBe('static')
    expect(scripted.broker(1).requests(leaveGroupApi)).toEqual([])
  })

  it('closes in time when the coordinator is silent', async () => {
    const { scripted, world, open, pollAll } = setUp()
    const a = open('a')
    await pollAll([a], 300)
    scripted.broker(1).on(leaveGroupApi, () => undefined)
    await settle(world, a.close({ timeoutMs: 700 }), 800)
  })

  it('reads every record once while members come, go and die', async () => {
    const { scripted, world, group, open, pollAll, done } = setUp({ partitions: 6 })
    const random = world.random('group faults')
    const seen = new Map<string, number>()
    let members = [open('m0')]
    let total = 0
    for (let round = 1; round <= 12; round += 1) {
      for (let index = 0; index < 20; index += 1) {
        scripted.fill('t', random.below(6), [`${total}`])
        total += 1
      }
      if (round % 3 === 1) members.push(open(`m${round}`))
      if (round % 4 === 3) await done(members.shift()!.close())
      if (round % 5 === 4) group.kick([...group.members.keys()][0]!)
      await pollAll(members, 1500)
      for (const each of members) await done(each.commitSync().catch(() => undefined))
      for (const key of ['t-0', 't-1', 't-2', 't-3', 't-4', 't-5']) {
        const committed = group.offsets.get(key) ?? 0
        expect(committed).toBeGreaterThanOrEqual(seen.get(key) ?? 0)
        seen.set(key, committed)
      }
    }
    await pollAll(members, 3000)
    for (const each of members) await done(each.commitSync())
    const ends = [0, 1, 2, 3, 4, 5].map((partition) => scripted.endOffset('t', partition))
    expect([0, 1, 2, 3, 4, 5].map((partition) => group.offsets.get(`t-${partition}`))).toEqual(ends)
    expect(ends.reduce((sum, each) => sum + each, 0)).toBe(total)
    members = []
  })
})
