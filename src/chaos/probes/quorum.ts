import {
  ALL,
  both,
  failedWith,
  isField,
  NOWHERE,
  numberOf,
  probesOf,
  QUORUM,
  sizeOf,
  tells,
  type EventProbe,
} from './event-probe.ts'

const quorum = probesOf('quorum', QUORUM)

function turned(from: string, to: string): ReturnType<typeof both> {
  return both(isField('from', from), isField('to', to))
}

/** What happens among the voters, and between them and the observers. */
export const QUORUM_PROBES: readonly EventProbe[] = [
  quorum('elected', 'quorum.elected', 'a leader of the quorum was elected', undefined, ALL),
  quorum('elected-by-two', 'quorum.elected', 'a leader was elected by two of three', (fields) => {
    return sizeOf(fields, 'granting') === 2
  }),
  quorum(
    'elected-by-all',
    'quorum.elected',
    'a leader was elected by three voters or more',
    (fields) => {
      return sizeOf(fields, 'granting') >= 3
    },
  ),
  quorum('elected-late', 'quorum.elected', 'a leader was elected in epoch 5 or later', (fields) => {
    return numberOf(fields, 'epoch') >= 5
  }),
  quorum('voted', 'quorum.voted', 'a vote was given', undefined, ALL),
  quorum(
    'vote-refused-for-log',
    'quorum.vote-refused',
    'a candidate whose log is behind got no vote',
    isField('isLogUpToDate', false),
  ),
  quorum(
    'vote-refused-as-given',
    'quorum.vote-refused',
    'a vote was refused although the log would do: it was given, or there is a leader',
    both(isField('isLogUpToDate', true), isField('preVote', false)),
  ),
  quorum(
    'pre-vote-refused',
    'quorum.vote-refused',
    'a pre-vote was refused',
    isField('preVote', true),
  ),
  quorum(
    'pre-vote-refused-by-follower',
    'quorum.vote-refused',
    'a follower that hears its leader refused a pre-vote',
    both(isField('preVote', true), isField('role', 'follower')),
  ),
  quorum(
    'pre-vote-refused-by-leader',
    'quorum.vote-refused',
    'a leader refused a pre-vote of a voter that had lost it',
    both(isField('preVote', true), isField('role', 'leader')),
  ),
  quorum(
    'vote-of-older-epoch',
    'quorum.vote-invalid',
    'a vote of an older epoch was asked for',
    failedWith('FENCED_LEADER_EPOCH'),
  ),
  quorum(
    'election-lost',
    'quorum.election-lost',
    'a candidate was not elected',
    isField('role', 'candidate'),
  ),
  quorum(
    'split-vote',
    'quorum.election-lost',
    'a candidate was refused by a majority',
    both(isField('role', 'candidate'), isField('isRejected', true)),
    NOWHERE,
  ),
  quorum(
    'pre-vote-lost',
    'quorum.election-lost',
    'a voter that had lost its leader was refused by the others',
    both(isField('role', 'prospective'), isField('isRejected', true)),
  ),
  quorum(
    'pre-vote-unanswered',
    'quorum.election-lost',
    'a voter that is cut off asked in vain for pre-votes',
    both(isField('role', 'prospective'), isField('isRejected', false)),
  ),
  quorum(
    'stood',
    'quorum.role-changed',
    'a voter became a candidate',
    isField('to', 'candidate'),
    ALL,
  ),
  quorum(
    'back-to-leader',
    'quorum.role-changed',
    'a voter went back to the leader that it had given up',
    turned('prospective', 'follower'),
  ),
  quorum(
    'candidate-overtaken',
    'quorum.role-changed',
    'a candidate learned of a newer epoch or of a leader',
    (fields) => fields['from'] === 'candidate' && fields['to'] !== 'leader',
  ),
  quorum(
    'leader-overtaken',
    'quorum.role-changed',
    'a leader learned of a newer epoch',
    (fields) => fields['from'] === 'leader' && fields['to'] !== 'resigned',
  ),
  quorum('resigned', 'quorum.resigned', 'a leader resigned'),
  quorum(
    'resigned-alone',
    'quorum.resigned',
    'a leader resigned because no majority fetches from it',
    tells('reason', 'no majority'),
  ),
  quorum(
    'left-office',
    'quorum.resigned',
    'a leader resigned on shutdown',
    isField('reason', 'shutdown'),
  ),
  quorum('truncated', 'quorum.truncated', 'metadata that was not committed was cut off'),
  quorum(
    'truncated-far',
    'quorum.truncated',
    'more than two metadata records were cut off',
    (fields) => {
      return numberOf(fields, 'from') - numberOf(fields, 'to') > 2
    },
    NOWHERE,
  ),
  quorum(
    'fetch-diverging',
    'quorum.fetch-diverging',
    'a leader told a voter where their logs part',
  ),
  quorum(
    'fetch-fenced',
    'quorum.fetch-refused',
    'a fetch of an older quorum epoch was refused',
    failedWith('FENCED_LEADER_EPOCH'),
  ),
  quorum(
    'fetch-too-new',
    'quorum.fetch-refused',
    'a voter knew of a quorum epoch before the one it asked',
    failedWith('UNKNOWN_LEADER_EPOCH'),
  ),
  quorum(
    'observer-redirected',
    'quorum.fetch-refused',
    'a fetch came to a voter that does not lead',
    failedWith('NOT_LEADER_OR_FOLLOWER'),
    ALL,
  ),
  quorum('committed', 'quorum.committed', 'metadata was committed', undefined, ALL),
  quorum(
    'records-refused',
    'quorum.records-refused',
    'a voter refused metadata records of its leader',
    undefined,
    NOWHERE,
  ),
  quorum(
    'two-leaders-told',
    'quorum.inconsistent-leader',
    'a node was told of two leaders of one epoch',
    undefined,
    NOWHERE,
  ),
  quorum('failed', 'quorum.failed', 'a controller stopped because of its disk', undefined, NOWHERE),
]
