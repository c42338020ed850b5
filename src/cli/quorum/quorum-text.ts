import { ZERO_UUID } from '../../base/uuid.ts'
import type { QuorumDescription, QuorumReplica } from '../../client/index.ts'
import { ToolError } from '../tool-errors.ts'

/** The lines of `describe --status`. Throws `ToolError` when the leader is no voter. */
export function quorumStatus(clusterId: string, quorum: QuorumDescription): readonly string[] {
  const leader = leaderOf(quorum)
  const slowest = quorum.voters.reduce((a, b) => (b.logEndOffset < a.logEndOffset ? b : a))
  const isKnown = leader.lastCaughtUpMs >= 0 && slowest.lastCaughtUpMs >= 0
  const knownLagMs = isKnown ? leader.lastCaughtUpMs - slowest.lastCaughtUpMs : -1
  const rows: readonly (readonly [string, string | number])[] = [
    ['ClusterId', clusterId],
    ['LeaderId', quorum.leaderId],
    ['LeaderEpoch', quorum.leaderEpoch],
    ['HighWatermark', quorum.highWatermark],
    ['MaxFollowerLag', leader.logEndOffset - slowest.logEndOffset],
    ['MaxFollowerLagTimeMs', leader === slowest ? 0 : knownLagMs],
    ['CurrentVoters', replicaList(quorum, quorum.voters)],
    ['CurrentObservers', replicaList(quorum, quorum.observers)],
  ]
  return rows.map(([name, value]) => `${`${name}:`.padEnd(24)}${value}`)
}

/** The lines of `describe --replication`; times as they are, or (`nowMs`) as how long ago. Throws `ToolError`. */
export function quorumReplication(
  quorum: QuorumDescription,
  nowMs: number | null,
): readonly string[] {
  const leader = leaderOf(quorum)
  const row = (replica: QuorumReplica, status: string): readonly string[] => [
    `${replica.id}`,
    replica.directoryId,
    `${replica.logEndOffset}`,
    `${leader.logEndOffset - replica.logEndOffset}`,
    timeText(replica.lastFetchMs, nowMs, 'last fetch'),
    timeText(replica.lastCaughtUpMs, nowMs, 'last caught up'),
    status,
  ]
  return tabTable([
    [
      'NodeId',
      'DirectoryId',
      'LogEndOffset',
      'Lag',
      'LastFetchTimestamp',
      'LastCaughtUpTimestamp',
      'Status',
    ],
    row(leader, 'Leader'),
    ...quorum.voters.filter((each) => each !== leader).map((each) => row(each, 'Follower')),
    ...quorum.observers.map((each) => row(each, 'Observer')),
  ])
}

/** Columns as wide as their widest cell, a tab after each. */
export function tabTable(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows[0]?.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  return rows.map((row) =>
    row.map((cell, column) => `${cell.padEnd(widths?.[column] ?? 0)}\t`).join(''),
  )
}

function leaderOf({ voters, leaderId }: QuorumDescription): QuorumReplica {
  const leader = voters.find(({ id }) => id === leaderId)
  if (leader === undefined) {
    throw new ToolError('No value present', 'java.util.NoSuchElementException')
  }
  return leader
}

/** `[{"id": 1, "directoryId": "...", "endpoints": ["CONTROLLER://host:9093"]}]`; what is not known is left out. */
function replicaList(quorum: QuorumDescription, replicas: readonly QuorumReplica[]): string {
  const texts = replicas.map(({ id, directoryId }) => {
    const endpoints = (quorum.endpoints.get(id) ?? []).map(
      ({ name, host, port }) => `"${endpointText(name, host, port)}"`,
    )
    return [
      `{"id": ${id}`,
      ...(directoryId === ZERO_UUID ? [] : [`, "directoryId": "${directoryId}"`]),
      ...(endpoints.length === 0 ? [] : [`, "endpoints": [${endpoints.join(', ')}]`]),
      '}',
    ].join('')
  })
  return `[${texts.join(', ')}]`
}

/** `CONTROLLER://host:9093`, IPv6 hosts in brackets. */
export function endpointText(name: string, host: string, port: number): string {
  return `${name}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

function timeText(timeMs: number, nowMs: number | null, what: string): string {
  if (timeMs < 0) return '-1'
  if (nowMs === null) return `${timeMs}`
  if (timeMs > 0 && timeMs <= nowMs) return `${nowMs - timeMs} ms ago`
  throw new ToolError(
    'Error while computing relative time, possible drift in system clock.\n' +
      `Current timestamp is ${nowMs}, ${what} timestamp is ${timeMs}`,
    'org.apache.kafka.common.KafkaException',
  )
}
