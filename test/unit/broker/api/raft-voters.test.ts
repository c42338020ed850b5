// The expected answers were compared with those of Apache Kafka 4.3.1, a quorum with static voters.
import { describe, expect, it } from 'vitest'
import { addRaftVoterHandler } from '../../../../broker/api/80-add-raft-voter.ts'
import { removeRaftVoterHandler } from '../../../../broker/api/81-remove-raft-voter.ts'
import { updateRaftVoterHandler } from '../../../../broker/api/82-update-raft-voter.ts'
import type { NodeServices } from '../../../../broker/server/request-context.ts'
import { ZERO_UUID } from '../../../../src/base/uuid.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { ApiWorld, CLUSTER } from '../../../support/api-world.ts'

const VOTER = { clusterId: CLUSTER, voterId: 7, voterDirectoryId: 'conformancevoter7xxxxA' }
const LISTENERS = [{ name: 'CONTROLLER', host: 'localhost', port: 9093 }]
const FEATURE = { kRaftVersionFeature: { minSupportedVersion: 0, maxSupportedVersion: 1 } }

function leader(): ApiWorld {
  const raft = { leaderId: 1, epoch: 3, isLeader: true, highWatermark: 5 }
  return new ApiWorld({ services: { raft: raft as NodeServices['raft'] } })
}

describe('AddRaftVoter and RemoveRaftVoter', () => {
  it('are refused, what is asked being right or not', () => {
    const world = leader()
    const add = (change: object): object =>
      world.ask(addRaftVoterHandler, 0, { ...VOTER, listeners: LISTENERS, ...change }, 'controller')
    expect(add({})).toMatchObject({ errorCode: ErrorCode.UNSUPPORTED_VERSION })
    expect(add({ voterDirectoryId: ZERO_UUID })).toMatchObject({
      errorCode: ErrorCode.INVALID_REQUEST,
      errorMessage: "Add voter request didn't include a valid voter",
    })
    expect(add({ listeners: [{ ...LISTENERS[0]!, name: 'X' }] })).toMatchObject({
      errorCode: ErrorCode.INVALID_REQUEST,
      errorMessage:
        "Add voter request didn't include the endpoint (Endpoints(endpoints={ListenerName(X)=localhost:9093})) " +
        'for the default listener ListenerName(CONTROLLER)',
    })
    const remove = (change: object): object =>
      world.ask(removeRaftVoterHandler, 0, { ...VOTER, ...change }, 'controller')
    expect(remove({})).toMatchObject({ errorCode: ErrorCode.UNSUPPORTED_VERSION })
    expect(remove({ voterId: -1 })).toMatchObject({ errorCode: ErrorCode.INVALID_REQUEST })
  })
})

describe('UpdateRaftVoter', () => {
  it.each([
    [{}, ErrorCode.VOTER_NOT_FOUND],
    [{ voterId: 1 }, ErrorCode.NONE],
    [{ clusterId: 'another' }, ErrorCode.INCONSISTENT_CLUSTER_ID],
    [{ currentLeaderEpoch: 2 }, ErrorCode.FENCED_LEADER_EPOCH],
    [{ currentLeaderEpoch: 4 }, ErrorCode.UNKNOWN_LEADER_EPOCH],
    [{ voterDirectoryId: ZERO_UUID }, ErrorCode.INVALID_REQUEST],
  ])('with %j answers %i and the leader', (change, errorCode) => {
    const body = { ...VOTER, currentLeaderEpoch: 3, listeners: LISTENERS, ...FEATURE, ...change }
    expect(leader().ask(updateRaftVoterHandler, 0, body, 'controller')).toMatchObject({
      errorCode,
      currentLeader: { leaderId: 1, leaderEpoch: 3, host: 'c1', port: 9093 },
    })
  })
})
