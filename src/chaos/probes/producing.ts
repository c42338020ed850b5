import { DATA, failedWith, probesOf, REPLICATED, type EventProbe } from './event-probe.ts'

const produce = probesOf('produce', DATA)

/** What happens to a Produce request, from the append to its answer. */
export const PRODUCING_PROBES: readonly EventProbe[] = [
  produce(
    'leader-lost-while-waiting',
    'produce.unanswered',
    'leadership went while a produce waited for its replicas',
    failedWith('NOT_LEADER_OR_FOLLOWER'),
    REPLICATED,
  ),
  produce(
    'timed-out-while-waiting',
    'produce.unanswered',
    'a produce was appended and not committed in time',
    failedWith('REQUEST_TIMED_OUT'),
    REPLICATED,
  ),
  produce(
    'too-few-after-append',
    'produce.unanswered',
    'a produce was committed by fewer replicas than min.insync.replicas',
    failedWith('NOT_ENOUGH_REPLICAS_AFTER_APPEND'),
  ),
  produce(
    'too-few-before-append',
    'partition.append-refused',
    'a produce was refused because of min.insync.replicas',
    failedWith('NOT_ENOUGH_REPLICAS'),
    REPLICATED,
  ),
  produce(
    'repeat-answered',
    'partition.repeat-answered',
    'a repeated batch was answered with the offset of the first',
  ),
  produce(
    'gap-refused',
    'partition.append-refused',
    'a gap in a producer’s sequence was refused',
    failedWith('OUT_OF_ORDER_SEQUENCE_NUMBER'),
  ),
  produce(
    'old-epoch-refused',
    'partition.append-refused',
    'a batch of an older producer epoch was refused',
    failedWith('INVALID_PRODUCER_EPOCH'),
  ),
]
