import {
  ALL,
  DATA,
  isField,
  NOWHERE,
  numberOf,
  probesOf,
  REPLICATED,
  tells,
  type EventProbe,
} from './event-probe.ts'

const log = probesOf('log', DATA)
const node = probesOf('node', ALL)
const disk = probesOf('disk', ALL)

/** What happens to files, and to nodes because of them. */
export const STORAGE_PROBES: readonly EventProbe[] = [
  log('rolled', 'log.rolled', 'a log went on in a new segment', undefined, REPLICATED),
  log('rolled-often', 'log.rolled', 'a log rolled behind offset 1000', (fields) => {
    return numberOf(fields, 'baseOffset') >= 1000
  }),
  log('truncated', 'log.truncated', 'a log was cut', undefined, REPLICATED),
  log('segment-recovered', 'log.segment-recovered', 'a segment was read anew after a crash'),
  log(
    'recovered-from-recovery-point',
    'log.segment-recovered',
    'a recovery began at a recovery point and left out what is before it',
    (fields) => numberOf(fields, 'recoveryPoint') > 0,
  ),
  log('segment-compacted', 'log.segment-compacted', 'a compacted segment took its place'),
  log('swap-finished', 'log.swap-finished', 'a recovery finished the swap of a compacted segment'),
  log('tail-cut', 'log.tail-cut', 'a recovery cut off a bad tail'),
  log(
    'tail-cut-for-crc',
    'log.tail-cut',
    'a recovery cut off a tail because of its CRC',
    tells('problem', 'CRC'),
  ),
  log('tail-cut-short', 'log.tail-cut', 'a recovery cut off less than a batch header', (fields) => {
    return numberOf(fields, 'cutBytes') < 61
  }),
  log(
    'segments-dropped',
    'log.segments-dropped',
    'a recovery dropped segments behind a bad one',
    undefined,
    NOWHERE,
  ),
  log('index-rebuilt', 'log.index-rebuilt', 'an index was made anew from its segment'),
  log(
    'behind-recovery-point',
    'log.behind-recovery-point',
    'a log ended before what had been durable',
  ),
  log(
    'odd-producer',
    'log.odd-producer',
    'a follower took what it would have refused as leader',
    undefined,
    NOWHERE,
  ),
  log('flush-failed', 'log.flush-failed', 'an fsync of a log failed'),
  log(
    'flush-without-room',
    'log.flush-failed',
    'an fsync failed because the disk was full',
    isField('code', 'ENOSPC'),
    NOWHERE,
  ),
  log('append-failed', 'log.storage-error', 'an append to a log failed'),
  log(
    'append-without-room',
    'log.storage-error',
    'an append failed because the disk was full',
    isField('code', 'ENOSPC'),
  ),
  log(
    'append-with-io-error',
    'log.storage-error',
    'an append failed with an I/O error',
    isField('code', 'EIO'),
  ),
  log(
    'start-raised',
    'log.start-raised',
    'a log start was raised by retention or by the leader',
    undefined,
    NOWHERE,
  ),
  log('segments-deleted', 'log.segments-deleted', 'retention deleted segments', undefined, NOWHERE),
  node('failed', 'node.failed', 'a node stopped because of an error of its own', undefined, DATA),
  node(
    'crashed',
    'node.crashed',
    'a node crashed and kept what it had written',
    isField('losesUnsynced', false),
  ),
  node(
    'lost-power',
    'node.crashed',
    'a node lost what it had not synced',
    isField('losesUnsynced', true),
  ),
  node(
    'crashed-silently',
    'node.crashed',
    'a node fell silent without resets',
    isField('isSilent', true),
    NOWHERE,
  ),
  node('restarted', 'node.restarted', 'a node came back'),
  node(
    'restarted-often',
    'node.restarted',
    'a node is in its fourth life or a later one',
    (fields) => {
      return numberOf(fields, 'incarnation') >= 3
    },
  ),
  node('paused', 'node.paused', 'a node stood still'),
  node(
    'resumed-with-backlog',
    'node.resumed',
    'a node went on with more than ten events waiting',
    (fields) => {
      return numberOf(fields, 'backlog') > 10
    },
  ),
  node('wiped', 'node.wiped', 'a node lost its disk', undefined, DATA),
  node('set-back', 'node.backup-restored', 'a node came back with an older disk', undefined, DATA),
  disk('lost-tail', 'disk.lost-tail', 'a power cut took an unsynced tail'),
  disk(
    'lost-long-tail',
    'disk.lost-tail',
    'a power cut took more than a thousand bytes of a file',
    (fields) => {
      return numberOf(fields, 'lostBytes') > 1000
    },
  ),
  disk('lost-names', 'disk.lost-names', 'a power cut took files that were created or renamed'),
  disk('lost-settings', 'store.lost-changes', 'a power cut took entries of the store'),
]
