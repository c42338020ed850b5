import { assert } from '../../../src/base/assert.ts'
import {
  CommittedLossError,
  CorruptionError,
  DiskError,
  KafketteError,
  WireError,
} from '../../../src/base/errors.ts'
import type { BrokerId, LeaderEpoch, Offset } from '../../../src/base/ids.ts'
import type { Timer } from '../../../src/ports/clock.ts'
import { ErrorCode } from '../../../src/wire/error-codes.ts'
import type { FetchRequest, FetchResponse } from '../../../src/wire/messages/01-fetch.ts'
import type { VoteRequest, VoteResponse } from '../../../src/wire/messages/52-vote.ts'
import type {
  BeginQuorumEpochRequest,
  BeginQuorumEpochResponse,
} from '../../../src/wire/messages/53-begin-quorum-epoch.ts'
import type {
  EndQuorumEpochRequest,
  EndQuorumEpochResponse,
} from '../../../src/wire/messages/54-end-quorum-epoch.ts'
import type {
  DescribeQuorumRequest,
  DescribeQuorumResponse,
} from '../../../src/wire/messages/55-describe-quorum.ts'
import { encodeMetadataRecord } from '../../../src/wire/metadata-record.ts'
import { writeBatch } from '../../../src/wire/record-batch.ts'
import type { MetadataRecord } from '../../../src/wire/records/metadata.ts'
import type { Api, Input } from '../../../src/wire/schema.ts'
import { CommitFeed } from './commit-feed.ts'
import { NO_NODE } from './election.ts'
import { Elections } from './elections.ts'
import { EpochAnnouncer } from './epoch-announcer.ts'
import { FetchServer } from './fetch-server.ts'
import { Fetcher } from './fetcher.ts'
import { Outbox } from './outbox.ts'
import { describeQuorum } from './quorum-description.ts'
import { QuorumState, type Role, type RoleKind } from './quorum-state.ts'
import type { RaftContext } from './raft-context.ts'
import { RaftLog } from './raft-log.ts'
import type { RaftOptions } from './raft-options.ts'
import { VoterSet } from './voter-set.ts'

export type { CommittedBatch } from './committed-batch.ts'
export type { RaftConfig } from './raft-config.ts'
export type { RaftListener, RaftOptions, RaftTransport } from './raft-options.ts'

/** As Kafka's raft client: a larger list of records cannot be atomic. */
export const MAX_BATCH_BYTES = 8 * 1024 * 1024
/** Polls within one step before it counts as a loop without end. */
const MAX_ROUNDS = 100
/** Timers are rounded up to it, so that a deadline has surely passed when they run. */
const TICK_MS = 0.001

interface Stopping {
  readonly deadlineMs: number
  readonly done: () => void
}

/**
 * One replica of the metadata quorum (KRaft: KIP-595 with the pre-vote of KIP-996), voter or observer. It
 * drives the role that `QuorumState` holds: every request, answer, timer and completed write is one step;
 * a step does what is due in the role, then tells the listener, then lets out what it has to say.
 */
export class Raft {
  readonly #options: RaftOptions
  readonly #context: RaftContext
  readonly #elections: Elections
  readonly #announcer: EpochAnnouncer
  readonly #fetcher: Fetcher
  readonly #fetchServer: FetchServer
  readonly #feed: CommitFeed
  readonly #outbox = new Outbox()
  readonly #deferred: (() => void)[] = []
  #phase: 'new' | 'running' | 'stopped' = 'new'
  #isInStep = false
  /** The disk failed outside of a step: the end of this node's part is on its way. */
  #isFailing = false
  #timer: Timer | null = null
  #timerAtMs = Infinity
  #stopping: Stopping | null = null
  #activatedEpoch: LeaderEpoch | null = null
  #toldLeaderId: BrokerId = NO_NODE
  #toldEpoch: LeaderEpoch = 0

  /** Reads the stored quorum state (throws `CorruptionError`); nothing happens before `start`. */
  constructor(options: RaftOptions) {
    const { nodeId, clusterId, directoryId, config, clock, random, events, store } = options
    this.#options = options
    const voters = new VoterSet(options.voters)
    const onWritten = (error: Error | null): void =>
      this.#enter(() => {
        if (error !== null) this.#fail(error)
        else this.#onDurable()
      })
    const log = new RaftLog({ log: options.log, clock, events, onFlushed: onWritten })
    const state = new QuorumState(
      { nodeId, directoryId, voters, config, clock, random, store, events, onStored: onWritten },
      log.lastEpoch,
      log.endOffset === 0,
    )
    this.#context = {
      nodeId,
      clusterId,
      directoryId,
      voters,
      config,
      clock,
      random,
      events,
      log,
      state,
      lostElections: 0,
      output: (send) => this.#outbox.add(state.version, send),
      ask: (toNodeId, api, version, body, done) => this.#ask(toNodeId, api, version, body, done),
    }
    this.#elections = new Elections(this.#context)
    this.#announcer = new EpochAnnouncer(this.#context)
    this.#fetcher = new Fetcher(this.#context)
    this.#fetchServer = new FetchServer(this.#context)
    this.#feed = new CommitFeed(log, (batches) => options.listener.onCommit(batches))
  }

  /** -1 when unknown. */
  get leaderId(): BrokerId {
    return this.#context.state.leaderId
  }

  get epoch(): LeaderEpoch {
    return this.#context.state.epoch
  }

  /** All below is known here to be committed; 0 until something is. */
  get highWatermark(): Offset {
    return this.#context.log.highWatermark
  }

  get logEndOffset(): Offset {
    return this.#context.log.endOffset
  }

  /** All below survives a crash. */
  get durableEndOffset(): Offset {
    return this.#context.log.durableEnd
  }

  get isLeader(): boolean {
    return this.#context.state.role.kind === 'leader'
  }

  /** False on an observer, which follows the log and has no say. */
  get isVoter(): boolean {
    return this.#context.state.isVoter
  }

  /** Whom this node voted for in its epoch, as stored; -1: nobody. */
  get votedFor(): BrokerId {
    return this.#context.state.votedFor
  }

  get roleKind(): RoleKind {
    return this.#context.state.role.kind
  }

  start(): void {
    assert(this.#phase === 'new', 'a raft node starts once')
    this.#phase = 'running'
    this.#enter(() => this.#context.log.flush())
  }

  /**
   * Leaves the quorum. A leader first tells the voters, so that the next one stands at once, and waits for
   * their answers up to `requestTimeoutMs`; `done` is called later, never from inside. Safe to call again.
   */
  stop(done: () => void = () => {}): void {
    const { clock, config, state, voters } = this.#context
    if (this.#phase !== 'running') {
      this.#phase = 'stopped'
      clock.after(0, 'raft.stopped', done)
      return
    }
    const earlier = this.#stopping
    const deadlineMs = earlier?.deadlineMs ?? clock.monoMs() + config.requestTimeoutMs
    this.#stopping = {
      deadlineMs,
      done: () => {
        earlier?.done()
        done()
      },
    }
    this.#enter(() => {
      if (state.role.kind === 'leader') state.becomeResigned('shutdown')
      if (state.role.kind !== 'resigned' || voters.size === 1) this.#halt()
    })
  }

  /**
   * Leaves the quorum at once and tells no other node: what a fast shutdown of the whole cluster needs. The
   * log is not touched after it. Safe to call at any time.
   */
  close(): void {
    if (this.#phase !== 'running') {
      this.#phase = 'stopped'
      return
    }
    this.#enter(() => {
      if (this.isLeader) this.#context.state.becomeResigned('closed')
      this.#halt()
    })
  }

  /**
   * Appends one atomic batch of the leader of `epoch`; returns the offset of its last record. It is
   * committed when `onCommit` delivers it. Throws `KafketteError` NOT_LEADER, also when the node no longer
   * leads that epoch, and RECORD_LIST_TOO_LARGE; `DiskError` when the disk failed, which ends its part in the quorum.
   */
  append(epoch: LeaderEpoch, records: readonly MetadataRecord[]): Offset {
    const { state, log, clock } = this.#context
    const isLeading = state.role.kind === 'leader' && !this.#isFailing
    if (this.#phase !== 'running' || !isLeading || epoch !== state.epoch) {
      const what = `${state.role.kind} of epoch ${state.epoch}`
      throw new KafketteError('NOT_LEADER', `node ${this.#context.nodeId} is ${what}, not ${epoch}`)
    }
    assert(records.length > 0, 'a batch has records')
    const batch = writeBatch({
      records: records.map((record) => ({ key: null, value: encodeMetadataRecord(record) })),
      timestampMs: Math.floor(clock.wallMs()),
      partitionLeaderEpoch: epoch,
    })
    if (batch.length > MAX_BATCH_BYTES) {
      const message = `${records.length} records take ${batch.length} bytes, at most ${MAX_BATCH_BYTES} fit`
      throw new KafketteError('RECORD_LIST_TOO_LARGE', message)
    }
    const lastOffset = this.#guarded(() => log.appendAsLeader(batch, epoch))
    if (!this.#isInStep) this.#onAppended()
    return lastOffset
  }

  /** Answers the fetches that waited for records. One that cannot be read is a fault, and none of who appended. */
  #onAppended(): void {
    const { state, clock } = this.#context
    try {
      this.#guarded(() => this.#arm(this.#fetchServer.poll(clock.monoMs())))
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
    }
    this.#outbox.release(state.durableVersion)
  }

  /** The fault comes in a step of its own: whoever called has first to hear how the call ended. */
  #guarded<T>(step: () => T): T {
    try {
      return step()
    } catch (error) {
      if (error instanceof DiskError) {
        this.#isFailing = true
        const fail = (): void => this.#enter(() => this.#fail(error))
        this.#context.clock.after(0, 'raft.fault', fail)
      }
      throw error
    }
  }

  /** Vote (52), pre-votes too. */
  handleVote(request: VoteRequest, respond: (response: Input<VoteResponse>) => void): void {
    this.#handle(respond, () => {
      const response = this.#elections.handleVote(request)
      this.#context.output(() => respond(response))
    })
  }

  /** BeginQuorumEpoch (53). */
  handleBeginQuorumEpoch(
    request: BeginQuorumEpochRequest,
    respond: (response: Input<BeginQuorumEpochResponse>) => void,
  ): void {
    this.#handle(respond, () => {
      const response = this.#announcer.handleBegin(request)
      this.#context.output(() => respond(response))
    })
  }

  /** EndQuorumEpoch (54). */
  handleEndQuorumEpoch(
    request: EndQuorumEpochRequest,
    respond: (response: Input<EndQuorumEpochResponse>) => void,
  ): void {
    this.#handle(respond, () => {
      const response = this.#announcer.handleEnd(request)
      this.#context.output(() => respond(response))
    })
  }

  /** Fetch (1) of the metadata partition; may be answered up to `maxWaitMs` later. */
  handleFetch(
    version: number,
    request: FetchRequest,
    respond: (response: Input<FetchResponse>) => void,
  ): void {
    this.#handle(respond, () => this.#fetchServer.handle(version, request, respond))
  }

  /** DescribeQuorum (55). Without a version the answer fits every one, so it lacks what version 2 added. */
  describe(request: DescribeQuorumRequest, version = 0): Input<DescribeQuorumResponse> {
    return describeQuorum(this.#context, version, request)
  }

  #handle(respond: (response: { errorCode: ErrorCode }) => void, step: () => void): void {
    if (this.#phase === 'running') this.#enter(step)
    else respond({ errorCode: ErrorCode.BROKER_NOT_AVAILABLE })
  }

  /** Runs one step. A step that comes while another runs waits for its end. */
  #enter(step: () => void): void {
    if (this.#phase !== 'running') return
    this.#deferred.push(step)
    if (this.#isInStep) return
    this.#isInStep = true
    try {
      for (let next = this.#deferred.shift(); next !== undefined; next = this.#deferred.shift()) {
        if (this.#phase === 'running') this.#step(next)
      }
    } finally {
      this.#isInStep = false
    }
  }

  #step(step: () => void): void {
    try {
      step()
      this.#settle()
    } catch (error) {
      if (!isFault(error)) throw error
      this.#fail(error)
    }
    while (this.#publish()) continue
    this.#outbox.release(this.#context.state.durableVersion)
  }

  /** Does all that is due, and tells the listener, until nothing is left; then sets the timer. */
  #settle(): void {
    for (let round = 0; this.#phase === 'running'; round += 1) {
      if (round >= MAX_ROUNDS) assert(false, `no end of a step in role ${this.roleKind}`)
      const { role } = this.#context.state
      const nextMs = this.#poll(role, this.#context.clock.monoMs())
      if (this.#context.state.role !== role || this.#publish()) continue
      this.#arm(nextMs)
      return
    }
  }

  #poll(role: Role, nowMs: number): number {
    const waitingMs = this.#fetchServer.poll(nowMs)
    return Math.min(waitingMs, this.#pollStopping(role, nowMs), this.#pollRole(role, nowMs))
  }

  #pollRole(role: Role, nowMs: number): number {
    const { state } = this.#context
    switch (role.kind) {
      case 'unattached':
        return Math.min(this.#elections.poll(role, nowMs), this.#fetcher.poll(role, nowMs))
      case 'prospective':
      case 'candidate':
        return this.#elections.poll(role, nowMs)
      case 'follower': {
        const deadlineMs = state.isVoter ? role.fetchDeadlineMs : Infinity
        if (nowMs < deadlineMs) return Math.min(deadlineMs, this.#fetcher.poll(role, nowMs))
        state.becomeProspective()
        return nowMs
      }
      case 'leader':
        if (nowMs < role.checkQuorumDeadlineMs) {
          return Math.min(role.checkQuorumDeadlineMs, this.#announcer.pollLeader(role, nowMs))
        }
        state.becomeResigned('no majority of the voters fetches')
        return nowMs
      case 'resigned': {
        const nextMs = this.#announcer.pollResigned(role, nowMs)
        if (this.#stopping !== null) return nextMs
        if (nowMs >= role.electionDeadlineMs) state.becomeUnattached(role.epoch + 1)
        return Math.min(role.electionDeadlineMs, nextMs)
      }
    }
  }

  #pollStopping(role: Role, nowMs: number): number {
    if (this.#stopping === null) return Infinity
    const isOver = role.kind !== 'resigned' || role.untold.length === 0
    if (isOver || nowMs >= this.#stopping.deadlineMs) this.#halt()
    return this.#stopping?.deadlineMs ?? Infinity
  }

  /** Tells the listener what changed since it was told last. True when it was called. */
  #publish(): boolean {
    const { state } = this.#context
    const { listener } = this.#options
    const { role } = state
    const isActive = role.kind === 'leader' && role.epoch === this.#activatedEpoch
    if (this.#activatedEpoch !== null && !isActive) {
      this.#activatedEpoch = null
      listener.onResigned()
      return true
    }
    if (this.#toldLeaderId !== state.leaderId || this.#toldEpoch !== state.epoch) {
      this.#toldLeaderId = state.leaderId
      this.#toldEpoch = state.epoch
      listener.onLeaderChange(state.leaderId, state.epoch)
      return true
    }
    if (this.#phase !== 'running') return false
    if (this.#feed.deliver()) return true
    const isReady = role.kind === 'leader' && role.highWatermark > role.epochStartOffset
    if (!isReady || isActive) return false
    this.#activatedEpoch = role.epoch
    listener.onActivated(role.epoch)
    return true
  }

  /** Quorum state or log got durable: the leader's own copy counts now. */
  #onDurable(): void {
    const { state, log } = this.#context
    const { role } = state
    if (role.kind === 'leader' && role.onDurable(log.durableEnd)) {
      log.updateHighWatermark(role.highWatermark)
    }
  }

  #ask<Req, Res>(
    toNodeId: BrokerId,
    api: Api<Req, Res>,
    version: number,
    body: Input<Req>,
    done: (error: Error | null, response: Res | null) => void,
  ): void {
    const { transport, config } = this.#options
    this.#context.output(() => {
      transport.send(toNodeId, api, version, body, config.requestTimeoutMs, (error, response) =>
        this.#enter(() => done(error, response)),
      )
    })
  }

  /** Keeps an earlier timer: it finds nothing to do and sets the next one. */
  #arm(atMs: number): void {
    const { clock } = this.#context
    if (atMs >= this.#timerAtMs) return
    if (this.#timer !== null) clock.cancel(this.#timer)
    this.#timerAtMs = atMs
    const delayMs = Math.ceil(Math.max(0, atMs - clock.monoMs()) / TICK_MS) * TICK_MS
    this.#timer = clock.after(delayMs, 'raft.poll', () => {
      this.#timer = null
      this.#timerAtMs = Infinity
      this.#enter(() => {})
    })
  }

  /** What cannot be stored or kept cannot be promised: this node takes no further part (D7). */
  #fail(error: Error): void {
    const { state, events } = this.#context
    events.emit('quorum.failed', { epoch: state.epoch, error: error.message })
    if (state.role.kind === 'leader') state.becomeResigned('fault')
    this.#outbox.clear()
    this.#halt()
    this.#options.listener.onFault?.(error)
  }

  #halt(): void {
    if (this.#phase === 'stopped') return
    const { clock, state } = this.#context
    this.#phase = 'stopped'
    this.#fetchServer.poll(clock.monoMs())
    if (this.#timer !== null) clock.cancel(this.#timer)
    this.#timer = null
    const stopping = this.#stopping
    this.#stopping = null
    if (stopping !== null) clock.after(0, 'raft.stopped', stopping.done)
    this.#outbox.release(state.durableVersion)
  }
}

/** What the world does to a node, which ends its part; everything else that is thrown is a bug. */
function isFault(error: unknown): error is KafketteError {
  return (
    error instanceof DiskError ||
    error instanceof WireError ||
    error instanceof CorruptionError ||
    error instanceof CommittedLossError
  )
}
