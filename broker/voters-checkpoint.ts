import { ConfigError } from '../src/base/errors.ts'
import type { TimestampMs } from '../src/base/ids.ts'
import type { Uuid } from '../src/base/uuid.ts'
import type { Address } from '../src/ports/network.ts'
import type { Disk } from '../src/ports/disk.ts'
import { controlRecord, ControlType, controlTypeOf } from '../src/wire/control-record.ts'
import {
  kRaftVersionRecord,
  snapshotFooterRecord,
  snapshotHeaderRecord,
  votersRecord,
} from '../src/wire/messages/data.ts'
import { forEachBatch, readRecords, writeBatch } from '../src/wire/record-batch.ts'
import { decodeFromBuffer, encodeToBuffer } from '../src/wire/schema.ts'
import { METADATA_TOPIC } from './metadata/topic-name.ts'

/** A controller of a voter set that was written when the directory was formatted (KIP-853). */
export interface DynamicVoter extends Address {
  readonly nodeId: number
  readonly directoryId: Uuid
}

/** The snapshot at offset 0, epoch 0, in which Kafka's storage tool keeps the first voter set. */
const CHECKPOINT_FILE = `${METADATA_TOPIC}-0/00000000000000000000-0000000000.checkpoint`
const VERSION = 0
const KRAFT_VERSION = 1
const MAX_CHECKPOINT_BYTES = 1024 * 1024

/** Writes the voter set as Kafka's `storage format --standalone` or `--initial-controllers` does. */
export function writeVotersCheckpoint(
  disk: Disk,
  options: {
    readonly voters: readonly DynamicVoter[]
    readonly listenerName: string
    readonly nowMs: TimestampMs
  },
): void {
  const { voters, listenerName, nowMs } = options
  const header = { version: VERSION, lastContainedLogTimestamp: 0 }
  const version = { version: VERSION, kRaftVersion: KRAFT_VERSION }
  const set = {
    version: VERSION,
    voters: voters.map(({ nodeId, directoryId, host, port }) => ({
      voterId: nodeId,
      voterDirectoryId: directoryId,
      endpoints: [{ name: listenerName, host, port }],
      kRaftVersionFeature: { minSupportedVersion: 0, maxSupportedVersion: KRAFT_VERSION },
    })),
  }
  const { SNAPSHOT_HEADER, KRAFT_VERSION: KRAFT, KRAFT_VOTERS, SNAPSHOT_FOOTER } = ControlType
  const first = writeBatch({
    records: [
      controlRecord(SNAPSHOT_HEADER, encodeToBuffer(snapshotHeaderRecord, VERSION, header)),
      controlRecord(KRAFT, encodeToBuffer(kRaftVersionRecord, VERSION, version)),
      controlRecord(KRAFT_VOTERS, encodeToBuffer(votersRecord, VERSION, set)),
    ],
    timestampMs: nowMs,
    partitionLeaderEpoch: 0,
    isControl: true,
  })
  const footer = encodeToBuffer(snapshotFooterRecord, VERSION, { version: VERSION })
  const last = writeBatch({
    records: [controlRecord(SNAPSHOT_FOOTER, footer)],
    timestampMs: nowMs,
    baseOffset: 3,
    partitionLeaderEpoch: 0,
    isControl: true,
  })
  disk.remove(CHECKPOINT_FILE)
  const file = disk.open(CHECKPOINT_FILE)
  file.append([first, last])
  file.close()
}

/** The voter set of the directory; null when it was formatted without one. Throws when the file is damaged. */
export function readVotersCheckpoint(disk: Disk): readonly DynamicVoter[] | null {
  if (!disk.exists(CHECKPOINT_FILE)) return null
  const file = disk.open(CHECKPOINT_FILE)
  const bytes = file.read(0, Math.min(file.size(), MAX_CHECKPOINT_BYTES))
  file.close()
  let voters: readonly DynamicVoter[] | null = null
  forEachBatch(bytes, (header, position) => {
    if (!header.isControl) return
    for (const record of readRecords(bytes, position)) {
      if (controlTypeOf(record) === ControlType.KRAFT_VOTERS) voters = votersOf(record.value)
    }
  })
  if (voters === null) throw new ConfigError(`${CHECKPOINT_FILE} names no voters`)
  return voters
}

function votersOf(value: Buffer | null): readonly DynamicVoter[] {
  const { voters } = decodeFromBuffer(votersRecord, VERSION, value ?? Buffer.alloc(0))
  return voters.map(({ voterId, voterDirectoryId, endpoints }) => {
    const [endpoint] = endpoints
    if (endpoint === undefined) {
      throw new ConfigError(`${CHECKPOINT_FILE}: voter ${voterId} has no address`)
    }
    const { host, port } = endpoint
    return { nodeId: voterId, directoryId: voterDirectoryId, host, port }
  })
}
