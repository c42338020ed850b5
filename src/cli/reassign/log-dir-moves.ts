import { setTimeout as pause } from 'node:timers/promises'
import type { BrokerId } from '../../base/ids.ts'
import type { Admin, KafkaError } from '../../client/index.ts'
import type { ToolIo } from '../kafka-tool.ts'
import { executionMessage, named, ToolError } from '../tool-errors.ts'
import { inReplicaOrder, keyOf, replicaKey, type ReplicaDirectory } from './reassignment-file.ts'

const RETRY_MS = 100

/** Where a replica lies, and where it is being moved to. */
export interface ReplicaPlace {
  /** Null: in no directory that can be read. */
  readonly current: string | null
  readonly future: string | null
}

/** By `topic-partition-broker`. */
export async function findReplicas(
  admin: Admin,
  replicas: readonly Pick<ReplicaDirectory, 'topic' | 'partition' | 'broker'>[],
): Promise<ReadonlyMap<string, ReplicaPlace>> {
  const places = new Map<string, ReplicaPlace>()
  for (const broker of new Set(replicas.map((each) => each.broker))) {
    const own = replicas.filter((each) => each.broker === broker)
    const logDirs = await named('describeReplicaLogDirs', admin.logDirs.describe(broker, own))
    for (const replica of own) {
      const held = logDirs.flatMap(({ path, replicas: inside }) =>
        inside.filter((each) => keyOf(each) === keyOf(replica)).map((each) => ({ ...each, path })),
      )
      places.set(replicaKey(replica), {
        current: held.find(({ isFuture }) => !isFuture)?.path ?? null,
        future: held.find(({ isFuture }) => isFuture)?.path ?? null,
      })
    }
  }
  return places
}

/** What became of a move that a file asks for. */
export type MoveState =
  | { readonly kind: 'missing' }
  | { readonly kind: 'active'; readonly current: string; readonly future: string }
  | { readonly kind: 'cancelled'; readonly current: string }
  | { readonly kind: 'completed' }

export function moveState(place: ReplicaPlace | undefined, target: string): MoveState {
  const { current, future } = place ?? { current: null, future: null }
  if (current === null) return { kind: 'missing' }
  if (future !== null) return { kind: 'active', current, future }
  return current === target ? { kind: 'completed' } : { kind: 'cancelled', current }
}

/** The line that `--verify` prints for a move. */
export function moveStateText(replica: ReplicaDirectory, state: MoveState): string {
  const { broker, path } = replica
  const partition = keyOf(replica)
  switch (state.kind) {
    case 'missing':
      return (
        `Partition ${partition} is not found in any live log dir on broker ${broker}. ` +
        'There is likely an offline log directory on the broker.'
      )
    case 'active':
      return state.future === path
        ? `Reassignment of replica ${replicaKey(replica)} is still in progress.`
        : `Partition ${partition} on broker ${broker} is being moved to log dir ${state.future} instead of ${path}.`
    case 'cancelled':
      return `Partition ${partition} on broker ${broker} is not being moved from log dir ${state.current} to ${path}.`
    case 'completed':
      return `Reassignment of replica ${replicaKey(replica)} completed successfully.`
  }
}

/**
 * Starts moves between directories. A replica that is on its way to a broker cannot be moved there yet, so what is not
 * there is tried again until `timeoutMs` has passed. Throws `ToolError`.
 */
export async function startMoves(
  admin: Admin,
  moves: readonly ReplicaDirectory[],
  timeoutMs: number,
  io: ToolIo,
): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs
  let pending = [...moves].sort(inReplicaOrder)
  while (pending.length > 0) {
    const started = await tryMoves(admin, pending)
    for (const replica of pending.filter((each) => started.has(replicaKey(each)))) {
      io.out(
        `Successfully started moving log directory to ${replica.path} for replica ${keyOf(replica)} ` +
          `with broker ${replica.broker} `,
      )
    }
    pending = pending.filter((each) => !started.has(replicaKey(each)))
    if (pending.length === 0) return
    if (Date.now() >= deadlineMs) {
      throw new ToolError(
        `Timed out before log directory move${pending.length === 1 ? '' : 's'} could be started for: ` +
          pending.map(replicaKey).join(','),
        'org.apache.kafka.tools.TerseException',
      )
    }
    await pause(RETRY_MS)
  }
}

async function tryMoves(
  admin: Admin,
  moves: readonly ReplicaDirectory[],
): Promise<ReadonlySet<string>> {
  const started = new Set<string>()
  for (const broker of new Set(moves.map((each) => each.broker))) {
    const own = moves.filter((each: { readonly broker: BrokerId }) => each.broker === broker)
    const outcomes = await named('alterReplicaLogDirs', admin.logDirs.alter(broker, own))
    for (const replica of own) {
      const error: KafkaError | null = outcomes.get(keyOf(replica)) ?? null
      if (error === null) started.add(replicaKey(replica))
      else if (error.code !== 'REPLICA_NOT_AVAILABLE') {
        const cause = new ToolError(executionMessage(error))
        throw new ToolError(`Failed to alter dir for ${replicaKey(replica)}`, undefined, { cause })
      }
    }
  }
  return started
}
