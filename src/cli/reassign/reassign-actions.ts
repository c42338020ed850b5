import { randomInt } from 'node:crypto'
import type { Admin, KafkaError, Reassignment } from '../../client/index.ts'
import { readTextFile } from '../command-config.ts'
import type { ToolIo } from '../kafka-tool.ts'
import type { ParsedOptions } from '../options/option-parser.ts'
import { named, ToolError } from '../tool-errors.ts'
import {
  brokersOfCluster,
  replicasOfPartitions,
  replicasOfTopic,
  replicasOfTopics,
} from './cluster-state.ts'
import { findReplicas, moveState, moveStateText, startMoves } from './log-dir-moves.ts'
import {
  inPartitionOrder,
  inReplicaOrder,
  keyOf,
  parseBrokerList,
  parseReassignment,
  parseReassignmentToExecute,
  parseTopicsToMove,
  reassignmentJson,
  replicaKey,
  type AssignedReplicas,
} from './reassignment-file.ts'
import { spreadReplicas } from './replica-spread.ts'
import { clearThrottles, movesOf, throttleBrokers, throttleLogDirs } from './throttles.ts'

const TERSE = 'org.apache.kafka.tools.TerseException'

/** `--list`. */
export async function listReassignments(admin: Admin, io: ToolIo): Promise<void> {
  const current = await named('listPartitionReassignments', admin.reassignments.list())
  if (current.length === 0) return io.out('No partition reassignments found.')
  io.out('Current partition reassignments:')
  for (const each of [...current].sort(inPartitionOrder)) io.out(reassignmentRow(each))
}

/** The line of one reassignment that is under way. */
export function reassignmentRow(reassignment: Reassignment): string {
  const { replicas, adding, removing } = reassignment
  return [
    `${keyOf(reassignment)}: replicas: ${replicas.join(',')}.`,
    ...(adding.length === 0 ? [] : [` adding: ${adding.join(',')}.`]),
    ...(removing.length === 0 ? [] : [` removing: ${removing.join(',')}.`]),
  ].join('')
}

/** `--generate`. */
export async function proposeReassignment(
  admin: Admin,
  options: ParsedOptions,
  io: ToolIo,
): Promise<void> {
  const text = readTextFile(options.value('topics-to-move-json-file') ?? '')
  const wanted = parseBrokerList(options.value('broker-list') ?? '')
  const topics = parseTopicsToMove(text)
  const current = await replicasOfTopics(admin, topics)
  const isRackAware = !options.has('disable-rack-aware')
  const all = await brokersOfCluster(admin)
  const brokers = all
    .filter(({ id }) => wanted.includes(id))
    .map(({ id, rack }) => ({ id, rack: isRackAware ? rack : null }))
  const withoutRack = brokers.filter(({ rack }) => rack === null).length
  if (isRackAware && withoutRack !== 0 && withoutRack !== brokers.length) {
    throw new ToolError(
      'Not all brokers have rack information. Add --disable-rack-aware in command line to make replica ' +
        'assignment without rack information.',
    )
  }
  const proposed = topics.flatMap((topic) => {
    const own = current.filter((each) => each.topic === topic)
    const factor = own[0]?.replicas.length ?? 0
    const spread = spreadReplicas(brokers, own.length, factor, (limit) => randomInt(limit))
    return spread.map((replicas, partition) => ({ topic, partition, replicas }))
  })
  const json = await currentJson(admin, current)
  io.out(`Current partition replica assignment\n${json}\n`)
  io.out('Proposed partition reassignment configuration')
  io.out(reassignmentJson(proposed, () => null))
}

/** `--execute`. */
export async function executeReassignment(
  admin: Admin,
  options: ParsedOptions,
  io: ToolIo,
): Promise<void> {
  const text = readTextFile(options.value('reassignment-json-file') ?? '')
  const bytesPerSecond = options.number('throttle') ?? -1
  const logDirBytesPerSecond = options.number('replica-alter-log-dirs-throttle') ?? -1
  const timeoutMs = options.number('timeout') ?? 0
  const { partitions, directories } = parseReassignmentToExecute(text)
  const current = await named('listPartitionReassignments', admin.reassignments.list())
  if (!options.has('additional') && current.length > 0) {
    throw new ToolError(
      'Cannot execute because there is an existing partition assignment.  Use --additional to override this and ' +
        'create a new partition assignment in addition to the existing one. The --additional flag can also be ' +
        'used to change the throttle by resubmitting the current reassignment.',
      TERSE,
    )
  }
  await checkBrokers(admin, partitions)
  const now = await replicasOfPartitions(admin, partitions)
  io.out(`Current partition replica assignment\n\n${await currentJson(admin, now)}\n`)
  io.out('Save this to use as the --reassignment-json-file option during rollback')
  if (bytesPerSecond >= 0 || logDirBytesPerSecond >= 0) {
    io.out(
      'Warning: You must run --verify periodically, until the reassignment completes, to ensure the throttle is removed.',
    )
  }
  if (bytesPerSecond >= 0) {
    await throttleBrokers(admin, movesOf(current, partitions, now), bytesPerSecond, io)
  }
  if (logDirBytesPerSecond >= 0) {
    const brokers = new Set(directories.map(({ broker }) => broker))
    await throttleLogDirs(admin, brokers, logDirBytesPerSecond, io)
  }
  const allowReplicationFactorChange = !options.has('disallow-replication-factor-change')
  const outcomes = await named(
    'alterPartitionReassignments',
    admin.reassignments.alter(partitions, { allowReplicationFactorChange }),
  )
  throwFailures('Error reassigning partition(s):', partitions, outcomes)
  const keys = [...partitions].sort(inPartitionOrder).map(keyOf)
  const what = `partition reassignment${keys.length === 1 ? '' : 's'}`
  io.out(`Successfully started ${what} for ${keys.join(',')}`)
  await startMoves(admin, directories, timeoutMs, io)
}

/** `--verify`. */
export async function verifyReassignment(
  admin: Admin,
  options: ParsedOptions,
  io: ToolIo,
): Promise<void> {
  const text = readTextFile(options.value('reassignment-json-file') ?? '')
  const { partitions, directories } = parseReassignment(text)
  const current = await named('listPartitionReassignments', admin.reassignments.list())
  io.out('Status of partition reassignment:')
  for (const each of [...partitions].sort(inPartitionOrder)) {
    const isMoving = current.some((moving) => keyOf(moving) === keyOf(each))
    const held = isMoving ? null : await replicasOfTopic(admin, each.topic)
    const now = held?.find((known) => keyOf(known) === keyOf(each))?.replicas ?? []
    io.out(partitionStateText(each, isMoving ? null : now))
  }
  const places = await findReplicas(admin, directories)
  const states = [...directories].sort(inReplicaOrder).map((replica) => ({
    replica,
    state: moveState(places.get(replicaKey(replica)), replica.path),
  }))
  io.out(states.map(({ replica, state }) => moveStateText(replica, state)).join('\n'))
  const isDone = ({ kind }: { readonly kind: string }): boolean =>
    kind === 'completed' || kind === 'cancelled'
  const isOver = current.length === 0 && states.every(({ state }) => isDone(state))
  if (isOver && !options.has('preserve-throttles')) await clearThrottles(admin, partitions, io)
}

/** The line of a partition; `now` is null while it moves. */
export function partitionStateText(
  wanted: AssignedReplicas,
  now: readonly number[] | null,
): string {
  const key = keyOf(wanted)
  if (now === null) return `Reassignment of partition ${key} is still in progress.`
  const target = wanted.replicas.join(',')
  if (now.join(',') === target) return `Reassignment of partition ${key} is completed.`
  return (
    `There is no active reassignment of partition ${key}, but replica set is ${now.join(',')} ` +
    `rather than ${target}.`
  )
}

/** `--cancel`. */
export async function cancelReassignment(
  admin: Admin,
  options: ParsedOptions,
  io: ToolIo,
): Promise<void> {
  const text = readTextFile(options.value('reassignment-json-file') ?? '')
  const timeoutMs = options.number('timeout') ?? 0
  const { partitions, directories } = parseReassignment(text)
  const current = await named('listPartitionReassignments', admin.reassignments.list(partitions))
  const moving = current
    .filter(({ adding, removing }) => adding.length === 0 || removing.length > 0)
    .sort(inPartitionOrder)
  const plural = moving.length === 1 ? '' : 's'
  if (moving.length === 0) io.out('None of the specified partition reassignments are active.')
  else {
    const wanted = moving.map(({ topic, partition }) => ({ topic, partition, replicas: null }))
    const outcomes = await named('alterPartitionReassignments', admin.reassignments.alter(wanted))
    throwFailures(
      (count) => `Error cancelling partition reassignment${count === 1 ? '' : 's'} for:`,
      wanted,
      outcomes,
    )
    io.out(
      `Successfully cancelled partition reassignment${plural} for: ${moving.map(keyOf).join(',')}`,
    )
  }
  const places = await findReplicas(admin, directories)
  const back = directories.flatMap((replica) => {
    const state = moveState(places.get(replicaKey(replica)), replica.path)
    return state.kind === 'active' ? [{ ...replica, path: state.current }] : []
  })
  if (back.length === 0) io.out('None of the specified partition moves are active.')
  else await startMoves(admin, back, timeoutMs, io)
  if (!options.has('preserve-throttles')) await clearThrottles(admin, partitions, io)
}

/** Where the replicas are now, with their directories. */
async function currentJson(admin: Admin, now: readonly AssignedReplicas[]): Promise<string> {
  const replicas = now.flatMap(({ topic, partition, replicas: ids }) =>
    ids.map((broker) => ({ topic, partition, broker })),
  )
  const places = await findReplicas(admin, replicas)
  return reassignmentJson(now, (replica) => places.get(replicaKey(replica))?.current ?? null)
}

/** Throws `ToolError` naming a broker that the cluster does not have. */
async function checkBrokers(admin: Admin, partitions: readonly AssignedReplicas[]): Promise<void> {
  const known = new Set((await brokersOfCluster(admin)).map(({ id }) => id))
  const unknown = partitions.flatMap(({ replicas }) => replicas).find((id) => !known.has(id))
  if (unknown !== undefined) throw new ToolError(`Unknown broker id ${unknown}`)
}

function throwFailures(
  title: string | ((count: number) => string),
  asked: readonly { readonly topic: string; readonly partition: number }[],
  outcomes: ReadonlyMap<string, KafkaError | null>,
): void {
  const failures = [...asked].sort(inPartitionOrder).flatMap((each) => {
    const error = outcomes.get(keyOf(each)) ?? null
    return error === null ? [] : [`${keyOf(each)}: ${error.message}`]
  })
  if (failures.length === 0) return
  const first = typeof title === 'string' ? title : title(failures.length)
  throw new ToolError([first, ...failures].join('\n'), TERSE)
}
