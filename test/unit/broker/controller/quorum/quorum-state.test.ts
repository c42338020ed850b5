import { describe, expect, it } from 'vitest'
import { electionOf, toStored } from '../../../../../broker/controller/quorum/election.ts'
import {
  QUORUM_STATE_KEY,
  QuorumState,
} from '../../../../../broker/controller/quorum/quorum-state.ts'
import { VoterSet } from '../../../../../broker/controller/quorum/voter-set.ts'
import { AssertionError } from '../../../../../src/base/assert.ts'
import { CorruptionError } from '../../../../../src/base/errors.ts'
import { ZERO_UUID } from '../../../../../src/base/uuid.ts'
import { SimWorld } from '../../../../../src/sim/sim-world.ts'
import { FAST_CONFIG } from '../../../../support/raft-cluster.ts'

const KEY = { directoryId: ZERO_UUID }

interface Setup {
  readonly nodeId?: number
  readonly voters?: number
  readonly stored?: unknown
  readonly lastLogEpoch?: number
}

function setUp({ nodeId = 1, voters = 3, stored, lastLogEpoch = 0 }: Setup = {}) {
  const world = new SimWorld({ seed: 1 })
  const sim = world.node('node')
  const { clock, random, store, events } = sim.ports
  if (stored !== undefined) store.put(QUORUM_STATE_KEY, stored)
  const ids = Array.from({ length: voters }, (_, index) => index + 1)
  const kinds: string[] = []
  world.onEvent((event) => kinds.push(event.kind))
  const answers: (Error | null)[] = []
  const state = new QuorumState(
    {
      nodeId,
      directoryId: ZERO_UUID,
      voters: new VoterSet(ids.map((id) => ({ nodeId: id, host: 'h', port: id }))),
      config: FAST_CONFIG,
      ...{ clock, random, store, events },
      onStored: (error) => answers.push(error),
    },
    lastLogEpoch,
    lastLogEpoch === 0,
  )
  const settle = (): void => world.runFor(100)
  return { world, sim, store, state, kinds, answers, settle }
}

/** A node that leads epoch 1. */
function elected() {
  const context = setUp()
  const { state, settle } = context
  state.becomeProspective()
  state.becomeCandidate()
  settle()
  const { role } = state
  if (role.kind !== 'candidate') throw new Error('no candidate')
  role.tally.record(1, true)
  role.tally.record(2, true)
  state.becomeLeader(0)
  return context
}

describe('the quorum state after a start', () => {
  it('is unattached in epoch 0 on a new node; the lowest voter may stand at once', () => {
    const lowest = setUp().state.role
    expect(lowest).toMatchObject({ kind: 'unattached', epoch: 0, electionDeadlineMs: 0 })
    const other = setUp({ nodeId: 2 }).state.role
    expect(other.kind === 'unattached' && other.electionDeadlineMs).toBeGreaterThanOrEqual(200)
    const observer = setUp({ nodeId: 9 }).state.role
    expect(observer).toMatchObject({ kind: 'unattached', electionDeadlineMs: Infinity })
  })

  it('is resigned when it led, so that it does not lead the same epoch twice', () => {
    const stored = toStored(electionOf(4, 1, { id: 1, ...KEY }))
    expect(setUp({ stored }).state.role).toMatchObject({ kind: 'resigned', epoch: 4 })
  })

  it('is resigned when its log shows that it led, although the store does not', () => {
    const stored = toStored(electionOf(4, -1, { id: 1, ...KEY }))
    const { state } = setUp({ stored, lastLogEpoch: 4 })
    expect(state.role.kind).toBe('resigned')
  })

  it('is a candidate again when it had voted for itself', () => {
    const stored = toStored(electionOf(4, -1, { id: 1, ...KEY }))
    expect(setUp({ stored }).state.role).toMatchObject({ kind: 'candidate', epoch: 4 })
  })

  it('follows the leader it followed, and keeps its vote', () => {
    const stored = toStored(electionOf(4, 2, { id: 3, ...KEY }))
    const { state } = setUp({ stored })
    expect(state.role).toMatchObject({ kind: 'follower', epoch: 4, leaderId: 2 })
    expect(state.role.election.votedId).toBe(3)
  })

  it('keeps a vote whose election had no end yet', () => {
    const stored = toStored(electionOf(4, -1, { id: 3, ...KEY }))
    const { role } = setUp({ stored }).state
    expect(role).toMatchObject({ kind: 'unattached', epoch: 4, votedKey: { id: 3 } })
  })

  it('forgets a leader that is no voter any more', () => {
    const stored = toStored(electionOf(4, 8, null))
    expect(setUp({ stored }).state.role).toMatchObject({ kind: 'unattached', epoch: 4 })
  })

  it('takes the epoch of the log when the store lags behind it', () => {
    const stored = toStored(electionOf(4, 2, { id: 3, ...KEY }))
    const { state } = setUp({ stored, lastLogEpoch: 6 })
    expect(state.role).toMatchObject({ kind: 'unattached', epoch: 6, votedKey: null })
  })

  it('lets a single voter stand at once, whatever it was', () => {
    const stored = toStored(electionOf(4, 1, { id: 1, ...KEY }))
    const { role } = setUp({ voters: 1, stored }).state
    expect(role).toMatchObject({ kind: 'unattached', epoch: 4, electionDeadlineMs: 0 })
  })

  it('is refused when the store holds something else', () => {
    expect(() => setUp({ stored: { leaderId: 'one' } })).toThrow(CorruptionError)
  })

  it('is not durable before the store has said so, even if it was found there', () => {
    const { state, settle } = setUp({ stored: toStored(electionOf(4, 2, null)) })
    expect(state.isDurable).toBe(false)
    settle()
    expect(state.isDurable).toBe(true)
  })
})

describe('the moves of the quorum state', () => {
  it('lead from unattached to leader, each stored under its epoch', () => {
    const { state, store, kinds } = elected()
    expect(state.role.kind).toBe('leader')
    expect(store.get(QUORUM_STATE_KEY)).toEqual(toStored(electionOf(1, 1, { id: 1, ...KEY })))
    expect(kinds.filter((kind) => kind.startsWith('quorum.'))).toEqual([
      'quorum.role-changed',
      'quorum.role-changed',
      'quorum.voted',
      'quorum.elected',
      'quorum.role-changed',
      'quorum.leader-changed',
    ])
  })

  it('store nothing for a pre-vote', () => {
    const { state, settle } = setUp()
    settle()
    const { version } = state
    state.becomeProspective()
    expect(state.version).toBe(version)
    expect(state.epoch).toBe(0)
  })

  it('keep a vote once given, through the change to prospective and back', () => {
    const { state } = setUp({ nodeId: 2 })
    state.becomeUnattached(3)
    state.voteFor({ id: 3, ...KEY })
    expect(() => state.voteFor({ id: 1, ...KEY })).toThrow(AssertionError)
    state.becomeProspective()
    expect(() => state.voteFor({ id: 1, ...KEY })).toThrow(AssertionError)
    state.becomeUnattached(3)
    expect(state.role.election.votedId).toBe(3)
    state.becomeUnattached(4)
    expect(state.role.election.votedId).toBe(-1)
  })

  it('give a prospective node its vote without ending its pre-vote', () => {
    const { state } = setUp()
    state.becomeProspective()
    state.voteFor({ id: 2, ...KEY })
    expect(state.role).toMatchObject({ kind: 'prospective', votedKey: { id: 2 } })
  })

  it('become durable in order, and say so', () => {
    const { state, answers, settle } = setUp()
    settle()
    state.becomeUnattached(3)
    expect(state.isDurable).toBe(false)
    settle()
    expect([state.isDurable, answers]).toEqual([true, [null]])
  })

  it('report a store that fails, and do not become durable', () => {
    const { state, sim, answers, settle } = setUp()
    settle()
    const error = new Error('no space')
    sim.store.failNextSync(error)
    state.becomeUnattached(3)
    settle()
    expect([state.isDurable, answers.at(-1)]).toEqual([false, error])
  })

  it('wait out the election time-out of before when only the epoch rises', () => {
    const { state, world } = setUp({ nodeId: 2 })
    const before = state.role.kind === 'unattached' ? state.role.electionDeadlineMs : 0
    world.runFor(50)
    state.becomeUnattached(7)
    expect(state.role).toMatchObject({ kind: 'unattached', electionDeadlineMs: before })
  })

  it('take a resigned leader to the next epoch only', () => {
    const { state } = elected()
    state.becomeResigned('test')
    expect(state.leaderId).toBe(-1)
    expect(() => state.becomeUnattached(1)).toThrow(AssertionError)
    expect(() => state.becomeFollower(1, 2)).toThrow(AssertionError)
    state.becomeUnattached(2)
    expect(state.role.kind).toBe('unattached')
  })
})

describe('the quorum state refuses', () => {
  it('to go back to an older epoch', () => {
    const { state } = setUp()
    state.becomeUnattached(5)
    expect(() => state.becomeUnattached(4)).toThrow(AssertionError)
    expect(() => state.becomeFollower(4, 2)).toThrow(AssertionError)
  })

  it('two leaders of one epoch', () => {
    const { state } = setUp()
    state.becomeFollower(5, 2)
    expect(() => state.becomeFollower(5, 3)).toThrow(AssertionError)
  })

  it('to follow itself or a node that is no voter', () => {
    const { state } = setUp()
    expect(() => state.becomeFollower(5, 1)).toThrow(AssertionError)
    expect(() => state.becomeFollower(5, 9)).toThrow(AssertionError)
  })

  it('to lead without a majority, or before its own vote is durable', () => {
    const { state, settle } = setUp()
    expect(() => state.becomeLeader(0)).toThrow(AssertionError)
    state.becomeProspective()
    state.becomeCandidate()
    const { role } = state
    if (role.kind !== 'candidate') throw new Error('no candidate')
    expect(() => state.becomeLeader(0)).toThrow(AssertionError)
    role.tally.record(2, true)
    role.tally.record(3, true)
    expect(() => state.becomeLeader(0)).toThrow(AssertionError)
    settle()
    state.becomeLeader(0)
  })

  it('to skip the pre-vote', () => {
    expect(() => setUp().state.becomeCandidate()).toThrow(AssertionError)
  })

  it('any office for an observer', () => {
    expect(() => setUp({ nodeId: 9 }).state.becomeProspective()).toThrow(AssertionError)
  })

  it('to resign from what it is not', () => {
    expect(() => setUp().state.becomeResigned('test')).toThrow(AssertionError)
  })
})
