import { CorruptionError, DiskError } from '../../src/base/errors.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'
import { batchSizeBytes, isBatchCrcValid } from '../../src/wire/record-batch.ts'

/** Errors that take one partition offline on this broker (KAFKA_STORAGE_ERROR); all others are bugs. */
export type StorageFailure = DiskError | CorruptionError

/** The log reports a refused read or append as an error code; here it ends the partition's service. */
export function throwStorageError(error: ErrorCode, key: string): void {
  if (error === ErrorCode.KAFKA_STORAGE_ERROR) {
    throw new DiskError('EIO', `the log of ${key} can neither be read nor written`)
  }
}

export function isStorageFailure(error: unknown): error is StorageFailure {
  return error instanceof DiskError || error instanceof CorruptionError
}

/** Runs `fn` and gives the failure of the storage in it, or null. */
export function storageFailureOf(fn: () => void): StorageFailure | null {
  try {
    fn()
    return null
  } catch (error) {
    if (!isStorageFailure(error)) throw error
    return error
  }
}

/** Throws when one of these whole batches is not what was written. */
export function assertSound(records: Buffer, key: string): void {
  for (let at = 0; at < records.length; at += batchSizeBytes(records, at)) {
    if (!isBatchCrcValid(records, at)) {
      throw new CorruptionError(`a batch of ${key} has a wrong CRC`)
    }
  }
}
