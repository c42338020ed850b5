import { describe, expect, it } from 'vitest'
import { ZERO_UUID } from '../../../../../src/base/uuid.ts'
import { quorumReplication, quorumStatus } from '../../../../../src/cli/quorum/quorum-text.ts'
import type { QuorumDescription } from '../../../../../src/client/index.ts'

const ID = 'ePaQUaZiBS1bKasppq8iNw'

function replica(id: number, logEndOffset: number, atMs: number, directoryId = ZERO_UUID) {
  return { id, directoryId, logEndOffset, lastFetchMs: atMs, lastCaughtUpMs: atMs }
}

const QUORUM: QuorumDescription = {
  leaderId: 2,
  leaderEpoch: 5,
  highWatermark: 90,
  voters: [replica(1, 80, 900), replica(2, 100, 1000, ID)],
  observers: [replica(3, 70, -1)],
  endpoints: new Map([
    [1, [{ name: 'CONTROLLER', host: '::1', port: 9093 }]],
    [2, [{ name: 'CONTROLLER', host: 'h', port: 9094 }]],
  ]),
}

describe('quorumStatus', () => {
  it('tells the greatest lag and who votes', () => {
    expect(quorumStatus('abc', QUORUM)).toEqual([
      'ClusterId:              abc',
      'LeaderId:               2',
      'LeaderEpoch:            5',
      'HighWatermark:          90',
      'MaxFollowerLag:         20',
      'MaxFollowerLagTimeMs:   100',
      'CurrentVoters:          [{"id": 1, "endpoints": ["CONTROLLER://[::1]:9093"]}, ' +
        `{"id": 2, "directoryId": "${ID}", "endpoints": ["CONTROLLER://h:9094"]}]`,
      'CurrentObservers:       [{"id": 3}]',
    ])
  })

  it('tells no time that is not known, and none when the leader is last', () => {
    const unknown = { ...QUORUM, voters: [replica(1, 80, -1), replica(2, 100, 1000)] }
    expect(quorumStatus('abc', unknown)[5]).toBe('MaxFollowerLagTimeMs:   -1')
    const alone = { ...QUORUM, voters: [replica(2, 100, 1000)] }
    expect(quorumStatus('abc', alone)[5]).toBe('MaxFollowerLagTimeMs:   0')
    expect(() => quorumStatus('abc', { ...QUORUM, leaderId: 9 })).toThrow('No value present')
  })
})

describe('quorumReplication', () => {
  it('puts the leader first, columns as wide as their widest cell', () => {
    expect(quorumReplication(QUORUM, null)).toEqual([
      'NodeId\tDirectoryId           \tLogEndOffset\tLag\tLastFetchTimestamp\tLastCaughtUpTimestamp\tStatus  \t',
      `2     \t${ID}\t100         \t0  \t1000              \t1000                 \tLeader  \t`,
      `1     \t${ZERO_UUID}\t80          \t20 \t900               \t900                  \tFollower\t`,
      `3     \t${ZERO_UUID}\t70          \t30 \t-1                \t-1                   \tObserver\t`,
    ])
  })

  it('tells how long ago, unless a clock is wrong', () => {
    expect(quorumReplication(QUORUM, 1100)[1]).toContain('100 ms ago')
    expect(() => quorumReplication(QUORUM, 950)).toThrow(
      'Error while computing relative time, possible drift in system clock.\n' +
        'Current timestamp is 950, last fetch timestamp is 1000',
    )
  })
})
