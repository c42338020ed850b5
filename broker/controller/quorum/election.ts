import { CorruptionError } from '../../../src/base/errors.ts'
import type { BrokerId, LeaderEpoch } from '../../../src/base/ids.ts'
import { isUuid, ZERO_UUID, type Uuid } from '../../../src/base/uuid.ts'
import type { ReplicaKey } from './replica-key.ts'

export const NO_NODE = -1
const DATA_VERSION = 1

/**
 * What a node must not forget across a crash: the epoch it is in, who leads it, whom it voted for
 * (Kafka's `quorum-state` file, QuorumStateData). -1 and `ZERO_UUID` stand for nobody.
 */
export interface Election {
  readonly leaderId: BrokerId
  readonly leaderEpoch: LeaderEpoch
  readonly votedId: BrokerId
  readonly votedDirectoryId: Uuid
}

export function electionOf(
  leaderEpoch: LeaderEpoch,
  leaderId: BrokerId,
  voted: ReplicaKey | null,
): Election {
  return {
    leaderId,
    leaderEpoch,
    votedId: voted?.id ?? NO_NODE,
    votedDirectoryId: voted?.directoryId ?? ZERO_UUID,
  }
}

export function votedKeyOf(election: Election): ReplicaKey | null {
  if (election.votedId === NO_NODE) return null
  return { id: election.votedId, directoryId: election.votedDirectoryId }
}

export function isSameElection(a: Election, b: Election): boolean {
  return (
    a.leaderId === b.leaderId &&
    a.leaderEpoch === b.leaderEpoch &&
    a.votedId === b.votedId &&
    a.votedDirectoryId === b.votedDirectoryId
  )
}

/** The value kept in the store: QuorumStateData as Kafka writes it in JSON. */
export function toStored(election: Election): Readonly<Record<string, number | string>> {
  return { ...election, data_version: DATA_VERSION }
}

/** Reads what `toStored` gave; nothing stored means epoch 0. Throws `CorruptionError`. */
export function fromStored(value: unknown): Election {
  if (value === undefined || value === null) return electionOf(0, NO_NODE, null)
  if (typeof value !== 'object') throw corrupt(value)
  const fields = new Map<string, unknown>(Object.entries(value))
  const leaderId = idField(fields.get('leaderId'), value)
  const leaderEpoch = idField(fields.get('leaderEpoch'), value)
  const votedId = idField(fields.get('votedId'), value)
  const votedDirectoryId = fields.get('votedDirectoryId')
  const isDirectory = typeof votedDirectoryId === 'string' && isUuid(votedDirectoryId)
  if (leaderEpoch < 0 || !isDirectory || fields.get('data_version') !== DATA_VERSION) {
    throw corrupt(value)
  }
  return { leaderId, leaderEpoch, votedId, votedDirectoryId }
}

function idField(field: unknown, value: unknown): number {
  if (typeof field === 'number' && Number.isInteger(field) && field >= NO_NODE) return field
  throw corrupt(value)
}

function corrupt(value: unknown): CorruptionError {
  return new CorruptionError(`the stored quorum state is not one: ${JSON.stringify(value)}`)
}
