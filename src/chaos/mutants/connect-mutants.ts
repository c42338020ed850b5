import type { Mutant } from './mutant.ts'

/** Bugs of Connect: offsets of sources and sinks. */
export const CONNECT_MUTANTS: readonly Mutant[] = [
  {
    name: 'source-offset-before-the-ack',
    says: 'the offset of a source record is stored when it was sent, not when Kafka has it',
    invariants: ['C1', 'C2'],
    profile: 'connect',
    file: 'connect/runtime/submitted-offsets.ts',
    find: 'queue.records[queue.head]?.isAcked === true',
    replace: 'queue.records[queue.head] !== undefined',
    maxSeeds: 1000,
  },
  {
    name: 'source-begins-anew',
    says: 'a source task is not given its stored offset, so it begins at the beginning and its offset goes back',
    invariants: ['C2'],
    profile: 'connect',
    file: 'connect/runtime/source-task.ts',
    find: 'offset: (partition) => offsets.read(connector, partition),',
    replace: 'offset: (partition) => offsets.read(`${connector} `, partition),',
    maxSeeds: 1000,
  },
  {
    name: 'sink-puts-part-of-a-batch',
    says: 'of a large batch a sink task is given the last records only, and all of it is committed',
    invariants: ['C4'],
    profile: 'connect',
    file: 'connect/runtime/sink-task.ts',
    find: 'await task.put([...this.#batch])',
    replace: 'await task.put(this.#batch.slice(-3))',
    maxSeeds: 1000,
  },
  {
    name: 'given-up-at-the-second-refusal',
    says: 'a producer gives a batch up when it is refused again instead of at its delivery.timeout.ms, and a source task fails with it',
    invariants: ['L5'],
    profile: 'connect',
    file: 'src/client/producer-partition.ts',
    find: `return isRetriable || isOutOfOrder ? 'retry' : 'fail'`,
    replace: `return (isRetriable || isOutOfOrder) && batch.attempts < 2 ? 'retry' : 'fail'`,
    maxSeeds: 1000,
  },
]
