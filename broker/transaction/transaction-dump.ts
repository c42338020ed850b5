import type { Offset } from '../../src/base/ids.ts'
import { topicPartitionKey } from '../../src/base/topic-partition.ts'
import { idlePorts, replayLog, type ReadBatches } from '../coordinator/log-replay.ts'
import { DEFAULT_TRANSACTION_CONFIG } from './transaction-config.ts'
import { TransactionShard, type TransactionEntry } from './transaction-shard.ts'

/**
 * Canonical text of all in a shard that a replay of its log determines: a line for each transactional id, sorted.
 * Equal states give equal text. Markers under way and last epochs are memory of the moment.
 */
export function dumpOfTransactions(shard: TransactionShard): string {
  return [...shard.entries]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([transactionalId, entry]) => `${lineOf(transactionalId, entry)}\n`)
    .join('')
}

/** The dump of a fresh shard into which the records of [from, upTo) were replayed. */
export function dumpOfTransactionReplay(read: ReadBatches, from: Offset, upTo: Offset): string {
  const shard = new TransactionShard({
    ports: idlePorts(),
    partition: { leaderEpoch: () => 0, highWatermark: () => 0, perform: () => undefined },
    config: DEFAULT_TRANSACTION_CONFIG,
    markers: { start: () => undefined },
    level: () => 0,
  })
  replayLog(shard, read, from, upTo)
  return dumpOfTransactions(shard)
}

function lineOf(
  transactionalId: string,
  { transaction, offset, isFlexible }: TransactionEntry,
): string {
  const { state, producerId, producerEpoch, timeoutMs, startMs, lastUpdateMs } = transaction
  const { previousProducerId, nextProducerId, clientVersion } = transaction
  const head = `transaction ${JSON.stringify(transactionalId)} ${state} ${producerId}/${producerEpoch}`
  const times = `timeout ${timeoutMs} from ${startMs} at ${lastUpdateMs} record ${offset}`
  // The classic version of the record has no room for these.
  const ids = isFlexible ? `ids ${previousProducerId} ${nextProducerId} of ${clientVersion}` : '-'
  const partitions = [...transaction.partitions].map(({ topic, partition }) =>
    topicPartitionKey(topic, partition),
  )
  return `${head} ${times} ${ids} [${partitions.join(' ')}]`
}
