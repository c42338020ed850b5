import { describe, expect, it } from 'vitest'
import { refusedVoterChange } from '../../../../../broker/controller/quorum/voter-changes.ts'
import { ErrorCode } from '../../../../../src/wire/error-codes.ts'

const LEADER = { clusterId: 'c', isLeader: true, highWatermark: 5 }
const CHANGE = { what: 'adding', clusterId: 'c', problem: null } as const

// Codes and messages were compared with those of Apache Kafka 4.3.1.
describe('a change of the voters', () => {
  it('is refused because the voters are static', () => {
    expect(refusedVoterChange(CHANGE, LEADER)).toEqual({
      errorCode: ErrorCode.UNSUPPORTED_VERSION,
      errorMessage: "Cluster doesn't support adding voter because the kraft.version feature is 0",
    })
  })

  it.each([
    ['of another cluster', { clusterId: 'd' }, {}, ErrorCode.INCONSISTENT_CLUSTER_ID],
    ['of any cluster', { clusterId: null }, {}, ErrorCode.UNSUPPORTED_VERSION],
    ['at a follower', { problem: 'bad' }, { isLeader: false }, ErrorCode.NOT_LEADER_OR_FOLLOWER],
    ['of no voter', { problem: 'bad' }, {}, ErrorCode.INVALID_REQUEST],
    ['at a leader of nothing yet', {}, { highWatermark: 0 }, ErrorCode.REQUEST_TIMED_OUT],
  ])('%s', (_what, change, target, errorCode) => {
    const refusal = refusedVoterChange({ ...CHANGE, ...change }, { ...LEADER, ...target })
    expect(refusal.errorCode).toBe(errorCode)
  })
})
