import { ErrorCode } from '../../src/wire/error-codes.ts'

/** Clients of versions before `firstFenced` know INVALID_PRODUCER_EPOCH only (KIP-588). */
export function fencedErrorFor(version: number, firstFenced: number, error: ErrorCode): ErrorCode {
  return version < firstFenced && error === ErrorCode.PRODUCER_FENCED
    ? ErrorCode.INVALID_PRODUCER_EPOCH
    : error
}
