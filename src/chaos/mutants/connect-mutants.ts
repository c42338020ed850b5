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
    maxSeeds: 200,
  },
  {
    name: 'refused-record-counts-as-sent',
    says: 'a record that Kafka refused is passed over although errors.tolerance is none',
    invariants: ['C1'],
    profile: 'connect',
    file: 'connect/runtime/source-task.ts',
    find: 'if (this.#operator.toleratesAll) {',
    replace: "if (this.#operator.toleratesAll || error.message !== '') {",
    maxSeeds: 200,
  },
  {
    name: 'source-begins-anew',
    says: 'a source task is not given its stored offset, so it begins at the beginning and its offset goes back',
    invariants: ['C2'],
    profile: 'connect',
    file: 'connect/runtime/source-task.ts',
    find: 'offset: (partition) => offsets.read(connector, partition),',
    replace: 'offset: (partition) => offsets.read(`${connector} `, partition),',
    maxSeeds: 200,
  },
  {
    name: 'sink-commits-before-it-puts',
    says: 'a sink’s offsets are committed up to what was read, whether or not it was put',
    invariants: ['C4'],
    profile: 'connect',
    file: 'connect/runtime/sink-offsets.ts',
    find: 'this.#pending.set(topicPartitionKey(topic, partition), { topic, partition, offset: next })',
    replace:
      'this.#current.set(topicPartitionKey(topic, partition), { topic, partition, offset: next })',
    maxSeeds: 200,
  },
]
