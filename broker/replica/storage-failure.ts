import { CorruptionError, DiskError } from '../../src/base/errors.ts'

/** Errors that take one partition offline on this broker (KAFKA_STORAGE_ERROR); all others are bugs. */
export type StorageFailure = DiskError | CorruptionError

export function isStorageFailure(error: unknown): error is StorageFailure {
  return error instanceof DiskError || error instanceof CorruptionError
}
