import {
  both,
  DATA,
  failedWith,
  isField,
  NOWHERE,
  numberOf,
  probesOf,
  REPLICATED,
  sizeOf,
  type EventProbe,
} from './event-probe.ts'

const replica = probesOf('replica', REPLICATED)
const leader = probesOf('leader', REPLICATED)
const isr = probesOf('isr', REPLICATED)
const fetch = probesOf('fetch', REPLICATED)

const byFollower = isField('reader', 'follower')
const byConsumer = isField('reader', 'consumer')
const asLeader = isField('role', 'leader')

/** What happens between the replicas of a partition. */
export const REPLICATION_PROBES: readonly EventProbe[] = [
  isr('shrunk', 'partition.isr-shrunk', 'a follower was dropped from the ISR'),
  isr('alone', 'partition.isr-shrunk', 'a leader is alone in its ISR', (fields) => {
    return sizeOf(fields, 'isr') === 1
  }),
  isr(
    'lost-two-at-once',
    'partition.isr-shrunk',
    'two followers were dropped at once',
    (fields) => {
      return sizeOf(fields, 'replicas') >= 2
    },
  ),
  isr('expanded', 'partition.isr-expanded', 'a follower came back into the ISR'),
  isr('whole-again', 'partition.isr-expanded', 'an ISR has three members again', (fields) => {
    return sizeOf(fields, 'isr') >= 3
  }),
  isr('refused', 'partition.isr-refused', 'the controller refused a change of an ISR'),
  isr(
    'refused-as-fenced',
    'partition.isr-refused',
    'a replaced leader asked for another ISR',
    failedWith('FENCED_LEADER_EPOCH'),
    DATA,
  ),
  isr(
    'refused-as-overtaken',
    'partition.isr-refused',
    'a change of an ISR was based on an older one',
    failedWith('INVALID_UPDATE_VERSION'),
    DATA,
  ),
  isr(
    'refused-as-ineligible',
    'partition.isr-refused',
    'a replica was proposed that is fenced or was restarted',
    failedWith('INELIGIBLE_REPLICA'),
    DATA,
  ),
  replica('truncated', 'replica.truncated', 'a follower cut its log'),
  replica(
    'truncated-far',
    'replica.truncated',
    'a follower cut more than ten records',
    (fields) => {
      return numberOf(fields, 'from') - numberOf(fields, 'to') > 10
    },
  ),
  replica(
    'truncated-into-earlier-epoch',
    'replica.truncated',
    'a whole leader epoch was cut off',
    (fields) => numberOf(fields, 'toEpoch') < numberOf(fields, 'fromEpoch'),
  ),
  replica(
    'truncated-across-two-epochs',
    'replica.truncated',
    'one cut reached back by two leader epochs or more',
    (fields) => numberOf(fields, 'fromEpoch') - numberOf(fields, 'toEpoch') >= 2,
    DATA,
  ),
  replica(
    'truncated-within-epoch',
    'replica.truncated',
    'a cut left records of the epoch that it was in',
    (fields) => fields['toEpoch'] === fields['fromEpoch'],
    DATA,
  ),
  replica(
    'truncated-to-nothing',
    'replica.truncated',
    'a cut left an empty log',
    isField('to', 0),
    NOWHERE,
  ),
  replica(
    'truncated-as-diverging',
    'replica.truncated',
    'a cut followed from a comparison of epochs',
    isField('reason', 'diverging-epoch'),
  ),
  replica(
    'truncated-to-leader-end',
    'replica.truncated',
    'a follower was ahead of its leader and had no epoch in common',
    isField('reason', 'leader-log-end'),
    NOWHERE,
  ),
  replica(
    'restarted-at-leader-start',
    'replica.truncated',
    'a follower began anew at its leader’s log start',
    isField('reason', 'leader-log-start'),
    NOWHERE,
  ),
  replica('caught-up', 'replica.caught-up', 'a follower reached its leader in this epoch'),
  replica(
    'corrupt-batch-refused',
    'replica.append-refused',
    'a follower refused a batch with a wrong CRC',
    failedWith('CORRUPT_MESSAGE'),
    DATA,
  ),
  replica(
    'misplaced-batch-refused',
    'replica.append-refused',
    'a follower refused a batch that does not go on where its log ends',
    failedWith('OFFSET_OUT_OF_RANGE'),
    NOWHERE,
  ),
  replica(
    'offline',
    'partition.offline',
    'a replica went offline because of its disk',
    undefined,
    DATA,
  ),
  leader('committed', 'partition.high-watermark', 'a leader moved its high watermark'),
  leader('began', 'partition.leader-changed', 'a broker took up leadership', asLeader),
  leader('began-alone', 'partition.leader-changed', 'a leader began alone in its ISR', (fields) => {
    return asLeader(fields) && sizeOf(fields, 'isr') === 1
  }),
  leader(
    'began-with-uncommitted',
    'partition.leader-changed',
    'a leader began with records above the high watermark that it knew',
    (fields) =>
      asLeader(fields) && numberOf(fields, 'highWatermark') < numberOf(fields, 'logEndOffset'),
  ),
  leader(
    'began-far-behind',
    'partition.leader-changed',
    'a leader began with more than ten records above its high watermark',
    (fields) =>
      asLeader(fields) && numberOf(fields, 'logEndOffset') - numberOf(fields, 'highWatermark') > 10,
  ),
  leader(
    'began-anew-in-row',
    'partition.leader-changed',
    'a partition is in its tenth leader epoch or a later one',
    (fields) => asLeader(fields) && numberOf(fields, 'leaderEpoch') >= 10,
    DATA,
  ),
  leader('none', 'partition.leader-changed', 'a partition had no leader', isField('leader', -1)),
  leader(
    'end-withheld',
    'partition.end-withheld',
    'a new leader did not tell its end before its high watermark had reached its epoch',
    undefined,
    DATA,
  ),
  fetch(
    'follower-fenced',
    'partition.fetch-refused',
    'a follower of an older leader epoch was refused',
    both(byFollower, failedWith('FENCED_LEADER_EPOCH')),
  ),
  fetch(
    'follower-too-new',
    'partition.fetch-refused',
    'a follower knew of a leader epoch before its leader did',
    both(byFollower, failedWith('UNKNOWN_LEADER_EPOCH')),
  ),
  fetch(
    'follower-not-led',
    'partition.fetch-refused',
    'a follower asked a broker that does not lead, or was of an earlier life',
    both(byFollower, failedWith('NOT_LEADER_OR_FOLLOWER')),
  ),
  fetch(
    'consumer-fenced',
    'partition.fetch-refused',
    'a consumer of an older leader epoch was refused',
    both(byConsumer, failedWith('FENCED_LEADER_EPOCH')),
  ),
  fetch(
    'consumer-too-new',
    'partition.fetch-refused',
    'a consumer knew of a leader epoch before the broker did',
    both(byConsumer, failedWith('UNKNOWN_LEADER_EPOCH')),
  ),
  fetch(
    'follower-diverging',
    'partition.fetch-diverging',
    'a leader told a follower where their logs part',
    byFollower,
  ),
  fetch(
    'follower-out-of-range',
    'partition.fetch-out-of-range',
    'a follower’s position was outside of its leader’s log',
    byFollower,
    NOWHERE,
  ),
  fetch(
    'consumer-out-of-range',
    'partition.fetch-out-of-range',
    'a consumer’s position was outside of the log',
    byConsumer,
    NOWHERE,
  ),
  fetch(
    'lookup-fenced',
    'partition.lookup-refused',
    'ListOffsets of an older leader epoch was refused',
    failedWith('FENCED_LEADER_EPOCH'),
    DATA,
  ),
  fetch(
    'lookup-too-new',
    'partition.lookup-refused',
    'ListOffsets knew of a leader epoch before the broker did',
    failedWith('UNKNOWN_LEADER_EPOCH'),
    DATA,
  ),
]
