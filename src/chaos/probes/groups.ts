import {
  both,
  failedWith,
  GROUPS,
  isField,
  NOWHERE,
  numberOf,
  probesOf,
  tells,
  type EventProbe,
} from './event-probe.ts'

const group = probesOf('group', GROUPS)
const coordinator = probesOf('coordinator', GROUPS)

const toHeartbeat = isField('request', 'heartbeat')
const toSync = isField('request', 'sync')
const toCommit = isField('request', 'commit')
const toJoin = isField('request', 'join')

/** What happens to consumer groups and their coordinators. */
export const GROUP_PROBES: readonly EventProbe[] = [
  group('rebalance-started', 'group.rebalance-started', 'a rebalance began'),
  group(
    'rebalance-for-join',
    'group.rebalance-started',
    'a member joined',
    tells('reason', 'joined'),
  ),
  group('rebalance-for-leave', 'group.rebalance-started', 'a member left', tells('reason', 'left')),
  group(
    'rebalance-for-silence',
    'group.rebalance-started',
    'a session expired',
    tells('reason', 'expired'),
  ),
  group(
    'rebalance-for-missing-sync',
    'group.rebalance-started',
    'a member that had joined did not sync',
    tells('reason', 'no SyncGroup'),
    NOWHERE,
  ),
  group(
    'rebalance-for-static-member',
    'group.rebalance-started',
    'a static member came back and changed something',
    tells('reason', 'came back'),
    NOWHERE,
  ),
  group('rebalanced', 'group.rebalanced', 'a generation began'),
  group(
    'rebalanced-often',
    'group.rebalanced',
    'a group is in its tenth generation or a later one',
    (fields) => {
      return numberOf(fields, 'generation') >= 10
    },
  ),
  group('rebalanced-to-one', 'group.rebalanced', 'one member was left', isField('members', 1)),
  group(
    'emptied',
    'group.state-changed',
    'a group lost its last member',
    isField('state', 'Empty'),
  ),
  group(
    'join-while-completing',
    'group.state-changed',
    'a group waits for assignments',
    isField('state', 'CompletingRebalance'),
    NOWHERE,
  ),
  group('member-expired', 'group.member-expired', 'a member was thrown out for its silence'),
  group(
    'sync-missing',
    'group.sync-missing',
    'a member was thrown out that joined and did not sync',
    undefined,
    NOWHERE,
  ),
  group(
    'heartbeat-of-stranger',
    'group.request-refused',
    'a heartbeat of an unknown member was refused',
    both(toHeartbeat, failedWith('UNKNOWN_MEMBER_ID')),
  ),
  group(
    'heartbeat-of-old-generation',
    'group.request-refused',
    'a heartbeat of another generation was refused',
    both(toHeartbeat, failedWith('ILLEGAL_GENERATION')),
    NOWHERE,
  ),
  group(
    'sync-in-rebalance',
    'group.request-refused',
    'a SyncGroup came when the next rebalance had begun',
    both(toSync, failedWith('REBALANCE_IN_PROGRESS')),
  ),
  group(
    'sync-of-old-generation',
    'group.request-refused',
    'a SyncGroup of another generation was refused',
    both(toSync, failedWith('ILLEGAL_GENERATION')),
    NOWHERE,
  ),
  group(
    'sync-of-stranger',
    'group.request-refused',
    'a SyncGroup of an unknown member was refused',
    both(toSync, failedWith('UNKNOWN_MEMBER_ID')),
    NOWHERE,
  ),
  group(
    'commit-of-old-generation',
    'group.request-refused',
    'a commit of an older generation was refused',
    both(toCommit, failedWith('ILLEGAL_GENERATION')),
  ),
  group(
    'commit-of-stranger',
    'group.request-refused',
    'a commit of an unknown member was refused',
    both(toCommit, failedWith('UNKNOWN_MEMBER_ID')),
  ),
  group(
    'commit-in-rebalance',
    'group.request-refused',
    'a commit came between join and sync',
    both(toCommit, failedWith('REBALANCE_IN_PROGRESS')),
    NOWHERE,
  ),
  group(
    'join-of-stranger',
    'group.request-refused',
    'a member came back that had been forgotten',
    both(toJoin, failedWith('UNKNOWN_MEMBER_ID')),
  ),
  group(
    'static-member-fenced',
    'group.request-refused',
    'an older holder of a static id was refused',
    failedWith('FENCED_INSTANCE_ID'),
    NOWHERE,
  ),
  group(
    'static-member-replaced',
    'group.static-member-replaced',
    'a static member came back as another process',
  ),
  group('assignment-lost', 'group.assignment-lost', 'an assignment could not be stored'),
  group('rejoined', 'client.group-rejoin', 'a member was told to join again'),
  group('joined', 'client.group-joined', 'a member was let in'),
  coordinator('loaded', 'coordinator.loaded', 'a coordinator has read its partition'),
  coordinator(
    'loaded-much',
    'coordinator.loaded',
    'a coordinator took over a partition with records',
    (fields) => {
      return numberOf(fields, 'records') > 0
    },
  ),
  coordinator(
    'moved',
    'coordinator.loaded',
    'a partition is coordinated in its third leader epoch or a later one',
    (fields) => {
      return numberOf(fields, 'leaderEpoch') >= 2
    },
  ),
  coordinator('unloaded', 'coordinator.unloaded', 'a coordinator gave up a partition'),
  coordinator(
    'load-failed',
    'coordinator.load-failed',
    'a coordinator could not read its partition',
    undefined,
    NOWHERE,
  ),
  coordinator(
    'record-skipped',
    'coordinator.record-skipped',
    'a coordinator did not know a record',
    undefined,
    NOWHERE,
  ),
  coordinator('found-by-client', 'client.coordinator-found', 'a client found its coordinator'),
]
