import type { Mutant } from './mutant.ts'

/** Bugs of the group coordinator. */
export const GROUP_MUTANTS: readonly Mutant[] = [
  {
    name: 'stale-generation-accepted',
    says: 'a member of an earlier generation may still commit',
    invariants: ['G3', 'G4', 'G6'],
    profile: 'groups',
    file: 'broker/group/offsets.ts',
    find: 'if (generation !== group.generation) return ErrorCode.ILLEGAL_GENERATION',
    replace: 'if (generation > group.generation) return ErrorCode.ILLEGAL_GENERATION',
    maxSeeds: 1000,
  },
  {
    name: 'offsets-cache-differs-from-replay',
    says: 'records that the log has refused are taken into the coordinator’s memory all the same',
    invariants: ['G5', 'G4', 'G6', 'G2', 'CRASH'],
    profile: 'groups',
    file: 'broker/coordinator/shard-host.ts',
    find: `    if (error !== ErrorCode.NONE) return error
    assert(
      lastOffset >=`,
    replace: `    if (error !== ErrorCode.NONE) {
      for (const { key, value } of records) {
        this.shard.replay({ offset: this.#lastOffset, key, value, producerId: NO_PRODUCER_ID })
      }
      return error
    }
    assert(
      lastOffset >=`,
    maxSeeds: 1000,
  },
  {
    name: 'assignments-by-place',
    says: 'every member of a group is given the first assignment that the leader sent',
    invariants: ['G1'],
    profile: 'groups',
    file: 'broker/group/membership.ts',
    find: 'assignment: assignments.get(memberId) ?? NO_BYTES,',
    replace: 'assignment: assignments.values().next().value ?? assignments.get(memberId),',
    maxSeeds: 1000,
  },
  {
    name: 'generation-not-raised',
    says: 'a rebalance ends in the generation it began in, so commits of those who were thrown out still count',
    invariants: ['G2', 'G1', 'G3', 'G4'],
    profile: 'groups',
    file: 'broker/group/classic-group.ts',
    find: 'this.generation += 1\n',
    replace: 'this.generation = Math.max(1, this.generation)\n',
    maxSeeds: 1000,
  },
  {
    name: 'late-sync-gets-nothing',
    says: 'a member whose SyncGroup comes after the leader’s is answered without partitions',
    invariants: ['G9', 'L4', 'G6'],
    profile: 'groups',
    file: 'broker/group/membership.ts',
    find: 'answer: syncResponse(group, group.member(memberId).assignment) }',
    replace: 'answer: syncResponse(group, NO_BYTES) }',
    maxSeeds: 1000,
  },
  {
    name: 'commit-of-a-stranger-accepted',
    says: 'who commits need not be a member of the group, if it knows the generation',
    invariants: ['G3', 'G4'],
    profile: 'groups',
    file: 'broker/group/offsets.ts',
    find: `  const error = group.validateMember(memberId, groupInstanceId)
  if (error !== ErrorCode.NONE) return error
  if (generation`,
    replace: `  if (generation`,
    maxSeeds: 1000,
  },
  {
    name: 'coordinator-answers-before-commit',
    says: 'the coordinator answers when its record is in its own log, which a failover may take back',
    invariants: ['G4', 'G2', 'D1'],
    profile: 'groups',
    file: 'broker/coordinator/shard-host.ts',
    find: 'const isCommitted = this.#log.highWatermark(this.#partition) > this.#lastOffset',
    replace: 'const isCommitted = this.#log.highWatermark(this.#partition) >= 0',
    maxSeeds: 1000,
  },
  {
    name: 'uncommitted-not-loaded',
    says: 'a new coordinator passes over what lies above the high watermark it knows, though it will be committed',
    invariants: ['G5', 'G4', 'G2', 'CRASH'],
    profile: 'groups',
    file: 'broker/coordinator/loader.ts',
    find: `    if (header.lastOffset < this.#offsetNext) return
    const batch = { bytes, header, position }`,
    replace: `    if (header.lastOffset < this.#offsetNext) return
    if (header.lastOffset >= this.#options.log.highWatermark(this.#options.partition)) {
      this.#offsetNext = header.lastOffset + 1
      return
    }
    const batch = { bytes, header, position }`,
    maxSeeds: 1000,
  },
  {
    name: 'committed-offset-of-the-record',
    says: 'the offset of the last processed record is stored instead of the next one to read',
    invariants: ['G4', 'G6', 'D5'],
    profile: 'groups',
    file: 'broker/group/offsets.ts',
    find: 'offset: partition.committedOffset,',
    replace: 'offset: Math.max(0, partition.committedOffset - 1),',
    maxSeeds: 1000,
  },
]
