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
    maxSeeds: 200,
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
    maxSeeds: 200,
  },
]
