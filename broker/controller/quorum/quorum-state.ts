import { assert } from '../../../src/base/assert.ts'
import type { BrokerId, LeaderEpoch, Offset } from '../../../src/base/ids.ts'
import type { Uuid } from '../../../src/base/uuid.ts'
import type { Clock } from '../../../src/ports/clock.ts'
import type { EventSink } from '../../../src/ports/events.ts'
import type { Random } from '../../../src/ports/random.ts'
import type { Store } from '../../../src/ports/store.ts'
import { Candidate } from './candidate.ts'
import {
  fromStored,
  isSameElection,
  NO_NODE,
  toStored,
  votedKeyOf,
  type Election,
} from './election.ts'
import { Follower } from './follower.ts'
import { Leader } from './leader.ts'
import { Prospective, type ProspectiveFields } from './prospective.ts'
import type { RaftConfig } from './raft-config.ts'
import type { ReplicaKey } from './replica-key.ts'
import { Resigned } from './resigned.ts'
import { Unattached } from './unattached.ts'
import { VoteTally } from './vote-tally.ts'
import type { VoterSet } from './voter-set.ts'

export const QUORUM_STATE_KEY = 'quorum-state'
const MAX_EPOCH = 0x7fff_ffff

export type Role = Unattached | Prospective | Candidate | Leader | Follower | Resigned
export type RoleKind = Role['kind']

export interface QuorumStateOptions {
  readonly nodeId: BrokerId
  readonly directoryId: Uuid
  readonly voters: VoterSet
  readonly config: RaftConfig
  readonly clock: Clock
  readonly random: Random
  readonly store: Store
  readonly events: EventSink
  /** More of the state has become durable, or never will. Never called from inside a transition. */
  readonly onStored: (error: Error | null) => void
}

/** Moves within an epoch; every role may also go to `unattached` or `follower` of a higher epoch. */
const WITHIN_EPOCH: Readonly<Record<RoleKind, readonly RoleKind[]>> = {
  unattached: ['unattached', 'prospective', 'follower'],
  prospective: ['unattached', 'prospective', 'follower'],
  candidate: ['prospective', 'leader', 'follower'],
  leader: ['resigned'],
  follower: ['prospective'],
  resigned: [],
}

const TO_HIGHER_EPOCH: ReadonlySet<RoleKind> = new Set(['unattached', 'follower'])
const OBSERVER_ROLES: ReadonlySet<RoleKind> = new Set(['unattached', 'follower'])

/**
 * Owns the role of this node in the quorum and every move from one to the next, and keeps what must survive
 * a crash in the store (KIP-595, KIP-996).
 *
 *   from         to           when
 *   any          unattached   a higher epoch is seen whose leader is unknown
 *   any          follower     the leader of a higher epoch is known
 *   unattached   unattached   it votes for a candidate of its epoch
 *   unattached   prospective  election time-out (voters only)
 *   unattached   follower     the leader of its epoch is known
 *   prospective  prospective  it votes for a candidate of its epoch
 *   prospective  unattached   pre-vote lost or timed out, no leader of the epoch is known
 *   prospective  follower     the same with a leader known, or the leader of its epoch is found
 *   prospective  candidate    a majority would vote for it; epoch + 1
 *   candidate    prospective  election lost or timed out
 *   candidate    leader       a majority voted for it
 *   candidate    follower     another one leads its epoch
 *   leader       resigned     shutdown, or no majority fetched for 1.5 fetch time-outs
 *   follower     prospective  fetch time-out, the leader broke the connection twice or left (voters only)
 *   resigned     unattached   election time-out; epoch + 1, so that it never returns to the epoch it led
 *
 * After a restart: the one that led is resigned, one that voted for itself is a candidate again, one that
 * followed is a follower, all others are unattached with their vote.
 *
 * A move that changes the election writes it to the store. Nothing that this node says may leave before
 * `isDurable`: the driver holds its answers and requests back until then (Q2, Q3).
 */
export class QuorumState {
  readonly #options: QuorumStateOptions
  readonly #self: ReplicaKey
  #role: Role
  #stored: Election
  #version = 0
  #durableVersion = 0

  constructor(options: QuorumStateOptions, lastLogEpoch: LeaderEpoch, isLogEmpty: boolean) {
    this.#options = options
    this.#self = { id: options.nodeId, directoryId: options.directoryId }
    const found = options.store.get(QUORUM_STATE_KEY)
    this.#stored = fromStored(found)
    this.#role = this.#restored(lastLogEpoch, isLogEmpty)
    // What was found need not be durable: the process may have died before its sync had answered.
    if (found !== undefined) this.#sync()
    this.#persist(this.#role.election)
  }

  get role(): Role {
    return this.#role
  }

  get epoch(): LeaderEpoch {
    return this.#role.epoch
  }

  /** -1 when unknown. A leader that resigned knows none. */
  get leaderId(): BrokerId {
    return this.#role.leaderId
  }

  get isVoter(): boolean {
    return this.#options.voters.has(this.#self.id)
  }

  /** Whom it voted for in its epoch, as stored; -1: nobody. */
  get votedFor(): BrokerId {
    return this.#stored.votedId
  }

  get isSoleVoter(): boolean {
    return this.isVoter && this.#options.voters.size === 1
  }

  /** Counts the changes that had to be stored; what is said now stands on this version. */
  get version(): number {
    return this.#version
  }

  get durableVersion(): number {
    return this.#durableVersion
  }

  get isDurable(): boolean {
    return this.#durableVersion === this.#version
  }

  /** A time-out in [t, 2t), so that voters seldom stand at the same time. */
  electionDeadlineMs(): number {
    const { config, clock, random } = this.#options
    const timeoutMs = config.electionTimeoutMs
    return clock.monoMs() + timeoutMs + (timeoutMs > 0 ? random.below(timeoutMs) : 0)
  }

  /** `deadlineMs` says when a voter stands for election; by default what was left of the last time-out. */
  becomeUnattached(epoch: LeaderEpoch, deadlineMs?: number): void {
    const votedKey = epoch === this.epoch ? this.#votedKey() : null
    const electionDeadlineMs = deadlineMs ?? this.#remainingDeadlineMs()
    this.#move(new Unattached(epoch, votedKey, this.isVoter ? electionDeadlineMs : Infinity))
  }

  /** Gives the vote of this epoch. */
  voteFor(candidate: ReplicaKey): void {
    const role = this.#role
    assert(
      role.kind === 'unattached' || role.kind === 'prospective',
      `${role.kind} has no vote to give`,
    )
    assert(role.votedKey === null, 'one vote per epoch')
    assert(role.leaderId === NO_NODE, 'no vote in an epoch whose leader is known')
    const deadlineMs = this.isVoter ? this.electionDeadlineMs() : Infinity
    this.#move(
      role.kind === 'unattached'
        ? new Unattached(role.epoch, candidate, deadlineMs)
        : new Prospective({ ...fieldsOf(role), votedKey: candidate }),
    )
    this.#options.events.emit('quorum.voted', { epoch: role.epoch, candidate: candidate.id })
  }

  /** Starts a pre-vote in the present epoch; its own counts at once. */
  becomeProspective(): void {
    const tally = new VoteTally(this.#options.voters)
    if (this.isVoter) tally.record(this.#self.id, true)
    this.#move(
      new Prospective({
        epoch: this.epoch,
        leaderId: this.leaderId,
        votedKey: this.#votedKey(),
        electionDeadlineMs: this.electionDeadlineMs(),
        tally,
      }),
    )
  }

  /** Enters the next epoch with a vote for itself. */
  becomeCandidate(): void {
    const { voters, events } = this.#options
    const epoch = this.epoch + 1
    assert(epoch <= MAX_EPOCH, 'epochs are used up')
    const tally = new VoteTally(voters)
    this.#move(new Candidate(epoch, this.#self, this.electionDeadlineMs(), tally))
    events.emit('quorum.voted', { epoch, candidate: this.#self.id })
  }

  /** `epochStartOffset` is where its LeaderChange record goes. */
  becomeLeader(epochStartOffset: Offset): Leader {
    const role = this.#role
    assert(role.kind === 'candidate' && role.tally.isGranted, 'only an elected candidate leads')
    assert(this.isDurable, 'its own vote is durable before it leads')
    const { voters, clock, config, events } = this.#options
    const leader = new Leader({
      epoch: role.epoch,
      self: this.#self,
      voters,
      granting: role.tally.granting(),
      epochStartOffset,
      nowMs: clock.monoMs(),
      fetchTimeoutMs: config.fetchTimeoutMs,
    })
    events.emit('quorum.elected', {
      epoch: role.epoch,
      leader: this.#self.id,
      granting: leader.granting,
      startOffset: epochStartOffset,
    })
    this.#move(leader)
    return leader
  }

  becomeFollower(epoch: LeaderEpoch, leaderId: BrokerId): void {
    assert(leaderId !== this.#self.id, 'a node does not follow itself')
    assert(this.#options.voters.has(leaderId), `leader ${leaderId} is no voter`)
    const isSameEpoch = epoch === this.epoch
    assert(
      !isSameEpoch || this.leaderId === NO_NODE || this.leaderId === leaderId,
      `epoch ${epoch} has two leaders, ${this.leaderId} and ${leaderId}`,
    )
    const { clock, config } = this.#options
    this.#move(
      new Follower({
        epoch,
        leaderId,
        votedKey: isSameEpoch ? this.#votedKey() : null,
        fetchDeadlineMs: clock.monoMs() + config.fetchTimeoutMs,
      }),
    )
  }

  becomeResigned(reason: string): void {
    const role = this.#role
    assert(role.kind === 'leader', `${role.kind} cannot resign`)
    this.#options.events.emit('quorum.resigned', {
      epoch: role.epoch,
      leader: this.#self.id,
      reason,
    })
    this.#move(
      new Resigned({
        epoch: role.epoch,
        self: this.#self,
        electionDeadlineMs: this.electionDeadlineMs(),
        successors: role.successors(),
      }),
    )
  }

  #restored(lastLogEpoch: LeaderEpoch, isLogEmpty: boolean): Role {
    const { clock, config, voters } = this.#options
    const { leaderEpoch: epoch, leaderId } = this.#stored
    const votedKey = votedKeyOf(this.#stored)
    const isSelfVote = votedKey?.id === this.#self.id
    const deadlineMs = this.isVoter ? this.electionDeadlineMs() : Infinity
    if (lastLogEpoch > epoch) return new Unattached(lastLogEpoch, null, deadlineMs)
    if (this.isSoleVoter) return new Unattached(epoch, votedKey, clock.monoMs())
    const hasLed = leaderId === this.#self.id || (isSelfVote && lastLogEpoch === epoch)
    if (this.isVoter && hasLed) {
      const successors = voters.othersThan(this.#self.id)
      return new Resigned({ epoch, self: this.#self, electionDeadlineMs: deadlineMs, successors })
    }
    if (voters.has(leaderId) && leaderId !== this.#self.id) {
      const fetchDeadlineMs = clock.monoMs() + config.fetchTimeoutMs
      return new Follower({ epoch, leaderId, votedKey, fetchDeadlineMs })
    }
    if (this.isVoter && isSelfVote) {
      return new Candidate(epoch, this.#self, deadlineMs, new VoteTally(voters))
    }
    const isNew = epoch === 0 && isLogEmpty && this.#self.id === voters.lowestId
    return new Unattached(epoch, votedKey, isNew ? clock.monoMs() : deadlineMs)
  }

  #move(next: Role): void {
    const last = this.#role
    this.#assertLegal(last, next)
    this.#role = next
    this.#persist(next.election)
    const { events } = this.#options
    if (next.kind !== last.kind) {
      events.emit('quorum.role-changed', { epoch: next.epoch, from: last.kind, to: next.kind })
    }
    const isNewLeader = next.leaderId !== last.leaderId || next.epoch !== last.epoch
    if (isNewLeader && next.leaderId !== NO_NODE) {
      events.emit('quorum.leader-changed', { epoch: next.epoch, leader: next.leaderId })
    }
  }

  #assertLegal(last: Role, next: Role): void {
    const move = `${last.kind} of epoch ${last.epoch} to ${next.kind} of epoch ${next.epoch}`
    assert(next.epoch >= last.epoch, `the epoch went back: ${move}`)
    assert(this.isVoter || OBSERVER_ROLES.has(next.kind), `an observer cannot go from ${move}`)
    const isCandidacy = last.kind === 'prospective' && next.kind === 'candidate'
    const isLegal =
      next.epoch === last.epoch
        ? WITHIN_EPOCH[last.kind].includes(next.kind)
        : TO_HIGHER_EPOCH.has(next.kind) || isCandidacy
    assert(isLegal, `no move from ${move}`)
  }

  #persist(election: Election): void {
    if (isSameElection(election, this.#stored)) return
    this.#stored = election
    this.#options.store.put(QUORUM_STATE_KEY, toStored(election))
    this.#sync()
  }

  #sync(): void {
    this.#version += 1
    const version = this.#version
    const { store, onStored } = this.#options
    store.sync((error) => {
      if (error === null) this.#durableVersion = Math.max(this.#durableVersion, version)
      onStored(error)
    })
  }

  #votedKey(): ReplicaKey | null {
    return votedKeyOf(this.#role.election)
  }

  /** A higher epoch alone is no reason to wait longer: a node that keeps losing would never stand. */
  #remainingDeadlineMs(): number {
    const role = this.#role
    const isWaiting = role.kind !== 'leader' && role.kind !== 'follower'
    return isWaiting ? role.electionDeadlineMs : this.electionDeadlineMs()
  }
}

function fieldsOf(role: Prospective): ProspectiveFields {
  const { epoch, leaderId, votedKey, electionDeadlineMs, tally } = role
  return { epoch, leaderId, votedKey, electionDeadlineMs, tally }
}
