import { describe, expect, it } from 'vitest'
import { parseClientConfig } from '../../../../src/client/client-config.ts'
import { Cluster } from '../../../../src/client/cluster.ts'
import { Coordinator, CoordinatorType } from '../../../../src/client/coordinator.ts'
import {
  GroupMember,
  type AssignmentRound,
  type JoinedRound,
} from '../../../../src/client/group-member.ts'
import { joinGroupApi } from '../../../../src/wire/messages/11-join-group.ts'
import { heartbeatApi } from '../../../../src/wire/messages/12-heartbeat.ts'
import { leaveGroupApi } from '../../../../src/wire/messages/13-leave-group.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { ScriptedCluster } from '../../../support/scripted-cluster.ts'
import { ScriptedGroup } from '../../../support/scripted-group.ts'

/** Members of a group that is not of consumers: the leader gives everyone the text `NAME of COUNT`. */
function setUp() {
  const scripted = new ScriptedCluster({ brokers: 1 })
  const group = new ScriptedGroup(scripted)
  const { world } = scripted
  const log: string[] = []
  const open = (name: string) => {
    const { ports } = world.node(name)
    const { config } = parseClientConfig('admin', {
      'bootstrap.servers': scripted.bootstrap,
      'client.id': name,
    })
    const cluster = new Cluster(config, ports)
    const coordinator = new Coordinator(cluster, CoordinatorType.GROUP, 'workers')
    const member = new GroupMember({
      cluster,
      coordinator,
      protocolType: 'connect',
      groupInstanceId: null,
      sessionTimeoutMs: 1000,
      rebalanceTimeoutMs: 2000,
      heartbeatIntervalMs: 100,
      handler: {
        protocols: () => [{ name: 'sessioned', metadata: Buffer.from(name) }],
        assign: (round: AssignmentRound, done) => {
          const count = round.members.length
          const entries = round.members.map(
            ({ memberId, metadata }) =>
              [memberId, Buffer.from(`${metadata.toString()} of ${count}`)] as const,
          )
          done(null, new Map(entries))
        },
        onRejoinNeeded: () => log.push(`${name} rejoin`),
        onLost: (error) => log.push(`${name} lost ${(error as { code?: string }).code}`),
      },
    })
    const join = (): void =>
      member.join((error, round: JoinedRound | null) =>
        log.push(
          error === null
            ? `${name} got ${round!.assignment.toString()}`
            : `${name} ${error.message}`,
        ),
      )
    return { member, join, cluster }
  }
  world.runFor(1)
  return { scripted, world, group, log, open }
}

describe('GroupMember', () => {
  it('serves groups of any protocol type', () => {
    const { scripted, world, log, open } = setUp()
    const a = open('a')
    a.join()
    world.runFor(200)
    expect(log).toEqual(['a got a of 1'])
    const [join] = scripted.broker(1).requests(joinGroupApi)
    expect(join!.body).toMatchObject({ protocolType: 'connect', groupId: 'workers' })
    const b = open('b')
    b.join()
    world.runFor(500)
    expect(log).toEqual(['a got a of 1', 'a rejoin'])
    a.join()
    world.runFor(500)
    expect(log.slice(2).sort()).toEqual(['a got a of 2', 'b got b of 2'])
    expect([a.member.generation, b.member.generation]).toEqual([2, 2])
  })

  it('asks to join again once a round, and heartbeats until it does', () => {
    const { scripted, world, log, open } = setUp()
    const a = open('a')
    a.join()
    world.runFor(200)
    open('b').join()
    const before = scripted.broker(1).requests(heartbeatApi).length
    world.runFor(1000)
    expect(log).toEqual(['a got a of 1', 'a rejoin'])
    expect(scripted.broker(1).requests(heartbeatApi).length - before).toBeGreaterThan(7)
  })

  it('tells that it is out before it asks to join again', () => {
    const { world, group, log, open } = setUp()
    const a = open('a')
    a.join()
    world.runFor(200)
    group.kick(a.member.memberId)
    world.runFor(300)
    expect(log.slice(1)).toEqual(['a lost UNKNOWN_MEMBER_ID', 'a rejoin'])
    expect([a.member.memberId, a.member.generation, a.member.state]).toEqual(['', -1, 'unjoined'])
    a.join()
    world.runFor(300)
    expect(a.member.memberId).toBe('member-2')
  })

  it('keeps its id when only its generation is old', () => {
    const { scripted, world, log, open } = setUp()
    const a = open('a')
    a.join()
    world.runFor(200)
    const errorCode = ErrorCode.ILLEGAL_GENERATION
    scripted.broker(1).next(heartbeatApi, (_request, reply) => reply({ errorCode }))
    world.runFor(300)
    expect(log.slice(1)).toEqual(['a lost ILLEGAL_GENERATION', 'a rejoin'])
    expect([a.member.memberId, a.member.generation]).toEqual(['member-1', -1])
  })

  it('goes on heartbeating through errors that pass', () => {
    const { scripted, world, log, open } = setUp()
    const a = open('a')
    a.join()
    world.runFor(200)
    scripted.broker(1).next(
      heartbeatApi,
      (_request, reply) => reply({ errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS }),
      (_request, reply) => reply({ errorCode: ErrorCode.NOT_COORDINATOR }),
      (_request, reply) => reply.drop(),
    )
    world.runFor(1500)
    expect(log).toEqual(['a got a of 1'])
    expect(a.member.state).toBe('stable')
  })

  it('gives up the session when a heartbeat fails for good', () => {
    const { scripted, world, log, open } = setUp()
    const a = open('a')
    a.join()
    world.runFor(200)
    const errorCode = ErrorCode.GROUP_AUTHORIZATION_FAILED
    scripted.broker(1).next(heartbeatApi, (_request, reply) => reply({ errorCode }))
    world.runFor(300)
    expect(log.slice(1)).toEqual(['a lost GROUP_AUTHORIZATION_FAILED', 'a rejoin'])
  })

  it('leaves, which ends a join under way, and may join again', () => {
    const { scripted, world, group, log, open } = setUp()
    const a = open('a')
    a.join()
    world.runFor(200)
    const left: (Error | null)[] = []
    a.member.leave('done', (error) => left.push(error))
    world.runFor(100)
    expect([left, group.members.size]).toEqual([[null], 0])
    const [leave] = scripted.broker(1).requests(leaveGroupApi)
    expect(leave!.body.members).toMatchObject([{ memberId: 'member-1', reason: 'done' }])
    scripted.broker(1).next(joinGroupApi, () => undefined)
    a.join()
    world.runFor(50)
    a.member.leave('changed mind', () => undefined)
    expect(log.at(-1)).toBe('a left the group: changed mind')
  })

  it('falls silent when it is closed', () => {
    const { scripted, world, log, open } = setUp()
    const a = open('a')
    a.join()
    world.runFor(200)
    a.member.close()
    const before = scripted.broker(1).requests(heartbeatApi).length
    world.runFor(2000)
    expect(scripted.broker(1).requests(heartbeatApi)).toHaveLength(before)
    expect(log).toEqual(['a got a of 1'])
    expect(() => a.join()).toThrow('left for good')
  })
})
