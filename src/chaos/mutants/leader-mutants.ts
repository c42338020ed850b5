import type { Mutant } from './mutant.ts'

/** Bugs of leaders: whom they wait for, what they answer and what they show. */
export const LEADER_MUTANTS: readonly Mutant[] = [
  {
    name: 'strict-min-isr-off',
    says: 'the high watermark moves although fewer than min.insync.replicas are in sync (Kafka before KIP-966)',
    invariants: ['R10', 'D8'],
    profile: 'data',
    file: 'broker/replica/leader-role.ts',
    find: 'if (this.inSync.committed.size < minInsyncReplicas) return null',
    replace: 'if (this.inSync.committed.size < 1) return null',
    maxSeeds: 1000,
  },
  {
    name: 'min-isr-checked-after-append',
    says: 'too few replicas are noticed when the batch is in the log already, and the refusal says that it is not (KAFKA-13574)',
    invariants: ['D4', 'P1', 'P2'],
    profile: 'data',
    file: 'broker/replica/partition.ts',
    find: `    if (requiredAcks === -1 && role.inSync.committed.size < this.effectiveMinInsyncReplicas) {
      this.tell('partition.append-refused', { errorCode: ErrorCode.NOT_ENOUGH_REPLICAS })
      return { error: ErrorCode.NOT_ENOUGH_REPLICAS, result: null }
    }
    const result = this.log.appendAsLeader(records, {
      leaderEpoch: this.#leaderEpoch,
      nowMs: this.#surroundings.clock.wallMs(),
      origin,
      isTopicCompacted: this.#config.log.cleanupPolicy.includes('compact'),
      ...transaction,
    })
`,
    replace: `    const result = this.log.appendAsLeader(records, {
      leaderEpoch: this.#leaderEpoch,
      nowMs: this.#surroundings.clock.wallMs(),
      origin,
      isTopicCompacted: this.#config.log.cleanupPolicy.includes('compact'),
      ...transaction,
    })
    if (requiredAcks === -1 && role.inSync.committed.size < this.effectiveMinInsyncReplicas) {
      this.#surroundings.changed(this)
      this.tell('partition.append-refused', { errorCode: ErrorCode.NOT_ENOUGH_REPLICAS })
      return { error: ErrorCode.NOT_ENOUGH_REPLICAS, result: null }
    }
`,
    maxSeeds: 1000,
  },
  {
    name: 'unheard-follower-not-waited-for',
    says: 'a new leader’s high watermark does not wait for members of the ISR that have not fetched from it yet',
    invariants: ['R10', 'R8', 'R7', 'D1'],
    profile: 'data',
    file: 'broker/replica/leader-role.ts',
    find: 'if (follower.logEndOffset >= upTo) continue',
    replace: 'if (follower.logEndOffset >= upTo || follower.logEndOffset < 0) continue',
    maxSeeds: 1000,
  },
  {
    name: 'isr-admits-with-the-first-fetch',
    says: 'a follower is admitted to the ISR when it fetches, however far behind it is',
    invariants: ['R8', 'R7', 'R10', 'R11', 'R14', 'D1'],
    profile: 'data',
    file: 'broker/replica/leader-role.ts',
    find: 'follower.logEndOffset >= highWatermark && follower.logEndOffset >= this.epochStartOffset',
    replace: 'follower.logEndOffset >= Math.min(0, highWatermark, this.epochStartOffset)',
    maxSeeds: 1000,
  },
  {
    name: 'isr-proposal-rolled-back-unanswered',
    says: 'a leader that gets no answer to a proposed ISR takes it for refused, though the controller may have taken it (KIP-497)',
    invariants: ['R9', 'R10', 'R8', 'R7', 'D1'],
    profile: 'data',
    file: 'broker/replica/isr-updates.ts',
    find: `if (outcome === 'retry' && !isOvertaken) this.#retry(update)`,
    replace: `if (outcome === 'retry' && !isOvertaken && isStillProposed(update)) {
        update.partition.leaderRole?.inSync.rollBack()
      }`,
    maxSeeds: 1000,
  },
  {
    name: 'fetch-of-a-past-life-counts',
    says: 'a fetch that a broker sent before its restart still counts for its position (KIP-903)',
    invariants: ['R15', 'R10', 'R8', 'R7', 'D1', 'CRASH'],
    profile: 'data',
    file: 'broker/replica/partition-read.ts',
    find: 'return partition.isFromPastLife(reader.brokerId, reader.brokerEpoch)\n    ? ErrorCode.NOT_LEADER_OR_FOLLOWER\n    : ErrorCode.NONE',
    replace: 'return ErrorCode.NONE',
    maxSeeds: 1000,
  },
  {
    name: 'diverging-fetch-counts',
    says: 'a leader counts the offset that a follower asks for before it knows that their logs agree up to there',
    invariants: ['R15', 'R10', 'R8', 'R7', 'R14', 'R2', 'D1', 'D3'],
    profile: 'data',
    file: 'broker/replica/partition-read.ts',
    find: `  if (diverging !== null) {
    partition.tell(`,
    replace: `  if (diverging !== null) {
    if (reader.kind === 'follower') {
      const { brokerId, brokerEpoch } = reader
      const { logStartOffset, currentLeaderEpoch: leaderEpoch } = entry
      const fetch = { brokerId, brokerEpoch, leaderEpoch, offset: fetchOffset, logStartOffset }
      if (leaderEpoch !== -1) partition.onFollowerFetch(fetch)
    }
    partition.tell(`,
    maxSeeds: 1000,
  },
  {
    name: 'consumer-sees-the-log-end',
    says: 'consumers read to the log end, past what is committed',
    invariants: ['D3', 'D5'],
    profile: 'data',
    file: 'broker/replica/partition-read.ts',
    find: 'return reader.isCommittedOnly ? log.lastStableOffset : log.highWatermark',
    replace: 'return reader.isCommittedOnly ? log.lastStableOffset : log.logEndOffset',
    maxSeeds: 1000,
  },
  {
    name: 'latest-offset-answered-too-early',
    says: 'a new leader tells its high watermark as the latest offset before it has reached the start of its epoch (before KIP-207)',
    invariants: ['R11'],
    profile: 'data',
    file: 'broker/replica/offset-lookup.ts',
    find: 'const isLagging = isClient && (partition.leaderRole?.epochStartOffset ?? -1) > log.highWatermark',
    replace: 'const isLagging = isClient && partition.leaderRole === null',
    maxSeeds: 1000,
  },
  {
    name: 'latest-offset-is-the-log-end',
    says: 'clients are told the log end as the latest offset, which a failover may take back',
    invariants: ['R11'],
    profile: 'data',
    file: 'broker/replica/offset-lookup.ts',
    find: 'return isolationLevel === READ_COMMITTED ? log.lastStableOffset : log.highWatermark',
    replace: 'return isolationLevel === READ_COMMITTED ? log.lastStableOffset : log.logEndOffset',
    maxSeeds: 1000,
  },
  {
    name: 'waiting-fetch-gets-the-newest',
    says: 'a fetch that has waited is given the newest batch, also when several have come at once',
    invariants: ['D5', 'G6', 'R3', 'L2', 'L4'],
    profile: 'data',
    file: 'broker/replica/partition-read.ts',
    find: 'const offset = request.entry.fetchOffset\n',
    replace: `const from = request.entry.fetchOffset
  const offset = request.updatesFollower ? from : Math.max(from, endOffset - 1)
`,
    maxSeeds: 1000,
  },
  {
    name: 'long-poll-without-waiting',
    says: 'followers ask again at once when there is nothing new, for ever',
    invariants: ['L8'],
    profile: 'data',
    file: 'broker/replica/follower-fetcher.ts',
    find: 'maxWaitMs: settings.waitMaxMs,',
    replace: 'maxWaitMs: 0,',
    maxSeeds: 1000,
  },
  {
    name: 'short-of-replicas-for-ever',
    says: 'a leader that once had too few replicas in sync goes on refusing when they are back',
    invariants: ['L3', 'CRASH'],
    profile: 'data',
    file: 'broker/replica/partition.ts',
    find: 'if (requiredAcks === -1 && role.inSync.committed.size < this.effectiveMinInsyncReplicas) {',
    replace: `const isShort = role.inSync.committed.size < this.effectiveMinInsyncReplicas
    if (isShort) Object.assign(role, { wasShort: true })
    if (requiredAcks === -1 && 'wasShort' in role) {`,
    maxSeeds: 1000,
  },
]
