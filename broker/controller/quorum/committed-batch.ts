import type { LeaderEpoch, Offset, TimestampMs } from '../../../src/base/ids.ts'
import { present } from '../../../src/base/assert.ts'
import { decodeMetadataRecord } from '../../../src/wire/metadata-record.ts'
import { forEachBatch, readRecords } from '../../../src/wire/record-batch.ts'
import type { MetadataRecord } from '../../../src/wire/records/metadata.ts'

/** One batch below the high watermark. A control batch comes with no records, so that offsets have no holes. */
export interface CommittedBatch {
  readonly baseOffset: Offset
  readonly lastOffset: Offset
  readonly epoch: LeaderEpoch
  readonly timestampMs: TimestampMs
  readonly records: readonly MetadataRecord[]
}

/** Decodes whole batches. Throws `WireError` for records that this build does not know. */
export function committedBatches(bytes: Buffer): CommittedBatch[] {
  const batches: CommittedBatch[] = []
  forEachBatch(bytes, (header, position) => {
    const records = header.isControl ? [] : readRecords(bytes, position)
    batches.push({
      baseOffset: header.baseOffset,
      lastOffset: header.lastOffset,
      epoch: header.partitionLeaderEpoch,
      timestampMs: header.maxTimestamp,
      records: records.map((record) =>
        decodeMetadataRecord(present(record.value, `the value of record ${record.offset}`)),
      ),
    })
  })
  return batches
}
