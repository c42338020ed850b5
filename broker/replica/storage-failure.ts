import { CorruptionError, DiskError } from '../../src/base/errors.ts'
import { ErrorCode } from '../../src/wire/error-codes.ts'

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
