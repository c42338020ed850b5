import type { Mutant } from './mutant.ts'

/** Bugs of the metadata quorum, and of what keeps the lives of a node apart. */
export const QUORUM_MUTANTS: readonly Mutant[] = [
  {
    name: 'vote-not-persisted-before-reply',
    says: 'a vote is told while it is still on its way to the disk, so that a crash can take it back',
    invariants: ['Q2', 'Q3', 'Q1', 'Q5', 'Q7', 'CRASH'],
    profile: 'quorum',
    file: 'broker/controller/quorum/raft.ts',
    find: `      const response = this.#elections.handleVote(request)
      this.#context.output(() => respond(response))
`,
    replace: `      respond(this.#elections.handleVote(request))
`,
    maxSeeds: 1000,
  },
  {
    name: 'commit-of-older-epoch-entry',
    says: 'a new leader commits entries of earlier epochs once a majority has them (figure 8 of the Raft paper)',
    invariants: ['Q7', 'Q5', 'Q10', 'CRASH'],
    profile: 'quorum',
    file: 'broker/controller/quorum/leader.ts',
    find: 'if (candidate <= this.epochStartOffset || candidate <= this.#highWatermark) return false',
    replace: 'if (candidate <= this.#highWatermark) return false',
    maxSeeds: 1000,
  },
  {
    name: 'votes-twice',
    says: 'a voter grants every candidate of an epoch whose log is long enough',
    invariants: ['Q2', 'Q1', 'CRASH'],
    profile: 'quorum',
    file: 'broker/controller/quorum/unattached.ts',
    find: `    if (isPreVote || this.votedKey === null) return isLogUpToDate
    return isSameReplica(this.votedKey, candidate)`,
    replace: `    return isLogUpToDate && (isPreVote || candidate.id >= 0)`,
    maxSeeds: 1000,
  },
  {
    name: 'votes-for-a-shorter-log',
    says: 'a voter looks at the epoch of the candidate’s last entry, not at how far its log reaches',
    invariants: ['Q5', 'Q10', 'Q11', 'Q7', 'Q6', 'CRASH'],
    profile: 'quorum',
    file: 'broker/controller/quorum/elections.ts',
    find: '(lastOffsetEpoch === log.lastEpoch && lastOffset >= log.endOffset)',
    replace: '(lastOffsetEpoch === log.lastEpoch && lastOffset >= 0)',
    maxSeeds: 1000,
  },
  {
    name: 'quorum-epoch-not-stored',
    says: 'an epoch in which the node has not voted is kept in memory only',
    invariants: ['Q3', 'Q2', 'Q1', 'CRASH'],
    profile: 'quorum',
    file: 'broker/controller/quorum/quorum-state.ts',
    find: 'if (isSameElection(election, this.#stored)) return',
    replace: 'if (isSameElection(election, this.#stored) || votedKeyOf(election) === null) return',
    maxSeeds: 1000,
  },
  {
    name: 'quorum-state-not-read-at-start',
    says: 'after a restart the quorum epoch is that of the last log entry, and the vote is forgotten',
    invariants: ['Q2', 'Q1', 'CRASH'],
    profile: 'quorum',
    file: 'broker/controller/quorum/quorum-state.ts',
    find: 'this.#stored = fromStored(found)',
    replace: 'this.#stored = fromStored(undefined)',
    maxSeeds: 1000,
  },
  {
    name: 'quorum-epoch-back-after-restart',
    says: 'a node that has not voted in its epoch begins one epoch back when it starts again',
    invariants: ['Q3'],
    profile: 'quorum',
    file: 'broker/controller/quorum/quorum-state.ts',
    find: 'if (lastLogEpoch > epoch) return new Unattached(lastLogEpoch, null, deadlineMs)',
    replace:
      'if (votedKey === null) return new Unattached(Math.max(0, epoch - 1), null, deadlineMs)',
    maxSeeds: 1000,
  },
  {
    name: 'commits-without-a-majority',
    says: 'the leader of the quorum counts one voter less than a majority',
    invariants: ['Q7', 'Q5', 'Q11', 'Q12'],
    profile: 'quorum',
    file: 'broker/controller/quorum/leader.ts',
    find: 'ends[this.#voters.majority - 1]',
    replace: 'ends[Math.max(0, this.#voters.majority - 2)]',
    maxSeeds: 1000,
  },
  {
    name: 'follower-acknowledges-before-fsync',
    says: 'a voter asks for the next entry, and so acknowledges the one before, while that is not on its disk',
    invariants: ['Q7', 'Q5', 'Q11', 'CRASH'],
    profile: 'quorum',
    file: 'broker/controller/quorum/fetcher.ts',
    find: 'if (state.isVoter && log.durableEnd < log.endOffset) return Infinity',
    replace: 'if (state.isVoter && log.durableEnd < 0) return Infinity',
    maxSeeds: 1000,
  },
  {
    name: 'quorum-high-watermark-goes-back',
    says: 'a follower takes the high watermark of every answer, also the older one of a new leader',
    invariants: ['Q8', 'Q12', 'CRASH'],
    profile: 'quorum',
    file: 'broker/controller/quorum/raft-log.ts',
    find: 'if (next <= this.#highWatermark) return false',
    replace: 'if (next === this.#highWatermark) return false',
    maxSeeds: 1000,
  },
  {
    name: 'diverging-quorum-log-served',
    says: 'the leader of the quorum answers a replica whose log has left its own as if they agreed',
    invariants: ['Q4', 'Q7', 'Q6', 'Q5', 'CRASH'],
    profile: 'quorum',
    file: 'broker/controller/quorum/raft-log.ts',
    find: 'return end.epoch === epoch && end.endOffset >= offset ? null : end',
    replace: 'return end.epoch === epoch || end.endOffset >= offset ? null : end',
    maxSeeds: 1000,
  },
  {
    name: 'drops-its-log-on-divergence',
    says: 'a replica of the quorum that diverges drops its whole log and copies the leader’s from the beginning',
    invariants: ['Q10', 'Q11', 'CRASH'],
    profile: 'quorum',
    file: 'broker/controller/quorum/raft-log.ts',
    find: `    if (offset < this.#highWatermark) throw this.#committedLoss(offset, leaderEnd.epoch)
    const from = this.endOffset
    this.#log.truncateTo(offset)
    this.#generation += 1
    const to = this.endOffset
    assert(to >= this.#highWatermark, \`a batch at \${to} holds the high watermark\`)`,
    replace: `    const from = this.endOffset
    this.#log.truncateTo(0)
    this.#generation += 1
    const to = this.endOffset`,
    maxSeeds: 1000,
  },
  {
    name: 'high-watermark-taken-before-the-cut',
    says: 'a replica takes the leader’s high watermark before it has cut what the leader does not have',
    invariants: ['Q6', 'Q10', 'Q11', 'Q12', 'CRASH'],
    profile: 'quorum',
    file: 'broker/controller/quorum/fetcher.ts',
    find: 'if (divergingEpoch.epoch >= 0 && divergingEpoch.endOffset >= 0) {\n',
    replace: `if (divergingEpoch.epoch >= 0 && divergingEpoch.endOffset >= 0) {
      log.updateHighWatermark(highWatermark)
`,
    maxSeeds: 1000,
  },
  {
    name: 'applies-what-is-not-committed',
    says: 'metadata are applied as they arrive, before they are committed',
    invariants: ['Q12', 'Q6', 'CRASH'],
    profile: 'quorum',
    file: 'broker/controller/quorum/commit-feed.ts',
    find: `    while (this.#nextOffset < this.#log.highWatermark) {
      const bytes = this.#log.read(this.#nextOffset, this.#log.highWatermark, MAX_READ_BYTES)`,
    replace: `    while (this.#nextOffset < this.#log.endOffset) {
      const bytes = this.#log.read(this.#nextOffset, this.#log.endOffset, MAX_READ_BYTES)`,
    maxSeeds: 1000,
  },
  {
    name: 'dead-incarnation-callback',
    says: 'timers, answers and bytes for a node that was killed still reach its old life',
    invariants: ['CRASH', 'Q2', 'Q3', 'R1', 'R2', 'R3', 'R5', 'D9', 'Q14', 'L8'],
    profile: 'data',
    file: 'src/base/lifetime.ts',
    find: `  end(): void {
    this.#isAlive = false
  }`,
    replace: `  end(): void {
    this.#isAlive = Boolean(this)
  }`,
    maxSeeds: 1000,
  },
]
