import type { BrokerId, LeaderEpoch, TimestampMs } from '../../../src/base/ids.ts'
import { leaderChangeMessage } from '../../../src/wire/messages/data.ts'
import { writeBatch } from '../../../src/wire/record-batch.ts'
import { encodeToBuffer } from '../../../src/wire/schema.ts'

const LEADER_CHANGE_TYPE = 2
const CONTROL_KEY_VERSION = 0
/** Version 1 adds directory ids, which a static voter set (kraft.version 0) does not have. */
const MESSAGE_VERSION = 0

export interface LeaderChange {
  readonly epoch: LeaderEpoch
  readonly leaderId: BrokerId
  readonly voters: readonly BrokerId[]
  readonly granting: readonly BrokerId[]
  readonly timestampMs: TimestampMs
}

/** The control batch that begins the epoch of a leader; once it is committed, so is all before it (KIP-595). */
export function leaderChangeBatch(change: LeaderChange): Buffer {
  const key = Buffer.alloc(4)
  key.writeInt16BE(CONTROL_KEY_VERSION, 0)
  key.writeInt16BE(LEADER_CHANGE_TYPE, 2)
  const value = encodeToBuffer(leaderChangeMessage, MESSAGE_VERSION, {
    version: MESSAGE_VERSION,
    leaderId: change.leaderId,
    voters: change.voters.map((voterId) => ({ voterId })),
    grantingVoters: change.granting.map((voterId) => ({ voterId })),
  })
  return writeBatch({
    records: [{ key, value }],
    timestampMs: change.timestampMs,
    partitionLeaderEpoch: change.epoch,
    isControl: true,
  })
}
