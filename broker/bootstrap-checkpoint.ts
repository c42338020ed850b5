import type { TimestampMs } from '../src/base/ids.ts'
import type { Disk } from '../src/ports/disk.ts'
import { controlRecord, ControlType } from '../src/wire/control-record.ts'
import { snapshotFooterRecord, snapshotHeaderRecord } from '../src/wire/messages/data.ts'
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  metadataRecord,
} from '../src/wire/metadata-record.ts'
import { forEachBatch, readRecords, writeBatch } from '../src/wire/record-batch.ts'
import { encodeToBuffer } from '../src/wire/schema.ts'

/** In which Kafka's storage tool keeps the records that a new cluster begins with. */
const CHECKPOINT_FILE = 'bootstrap.checkpoint'
const VERSION = 0
const MAX_CHECKPOINT_BYTES = 1024 * 1024

/** Writes the feature levels (one at least) that the first controller is to finalize, as Kafka's `storage format` does. */
export function writeBootstrapCheckpoint(
  disk: Disk,
  features: ReadonlyMap<string, number>,
  nowMs: TimestampMs,
): void {
  const header = { version: VERSION, lastContainedLogTimestamp: 0 }
  const records = [...features].map(([name, featureLevel]) => ({
    key: null,
    value: encodeMetadataRecord(metadataRecord('FeatureLevelRecord', { name, featureLevel })),
  }))
  const { SNAPSHOT_HEADER, SNAPSHOT_FOOTER } = ControlType
  const common = { timestampMs: nowMs, partitionLeaderEpoch: 0 }
  const first = writeBatch({
    ...common,
    records: [
      controlRecord(SNAPSHOT_HEADER, encodeToBuffer(snapshotHeaderRecord, VERSION, header)),
    ],
    isControl: true,
  })
  const levels = writeBatch({ ...common, records, baseOffset: 1 })
  const footer = encodeToBuffer(snapshotFooterRecord, VERSION, { version: VERSION })
  const last = writeBatch({
    ...common,
    records: [controlRecord(SNAPSHOT_FOOTER, footer)],
    baseOffset: records.length + 1,
    isControl: true,
  })
  disk.remove(CHECKPOINT_FILE)
  const file = disk.open(CHECKPOINT_FILE)
  file.append([first, levels, last])
  file.close()
}

/** The feature levels of a formatted directory; null when it was formatted without any. */
export function readBootstrapFeatures(disk: Disk): ReadonlyMap<string, number> | null {
  if (!disk.exists(CHECKPOINT_FILE)) return null
  const file = disk.open(CHECKPOINT_FILE)
  const bytes = file.read(0, Math.min(file.size(), MAX_CHECKPOINT_BYTES))
  file.close()
  const features = new Map<string, number>()
  forEachBatch(bytes, (header, position) => {
    if (header.isControl) return
    for (const { value } of readRecords(bytes, position)) {
      const record = value === null ? null : decodeMetadataRecord(value)
      if (record?.type === 'FeatureLevelRecord') {
        features.set(record.data.name, record.data.featureLevel)
      }
    }
  })
  return features
}
