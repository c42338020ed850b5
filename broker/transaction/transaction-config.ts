import type { Config } from '../../src/base/config-def.ts'

/** The settings of the transaction coordinator; Kafka's names stand beside them. */
export interface TransactionConfig {
  /** transaction.max.timeout.ms */
  readonly maxTimeoutMs: number
  /** transactional.id.expiration.ms */
  readonly idExpirationMs: number
  /** transaction.abort.timed.out.transaction.cleanup.interval.ms */
  readonly abortTimedOutIntervalMs: number
  /** transaction.remove.expired.transaction.cleanup.interval.ms */
  readonly removeExpiredIntervalMs: number
  /** transaction.state.log.load.buffer.size */
  readonly loadBufferBytes: number
  /** request.timeout.ms: how long an append and a request for markers may take */
  readonly requestTimeoutMs: number
}

export const DEFAULT_TRANSACTION_CONFIG: TransactionConfig = {
  maxTimeoutMs: 900_000,
  idExpirationMs: 604_800_000,
  abortTimedOutIntervalMs: 10_000,
  removeExpiredIntervalMs: 3_600_000,
  loadBufferBytes: 5_242_880,
  requestTimeoutMs: 30_000,
}

/** Takes the transaction coordinator's settings out of a broker's. */
export function transactionConfigFrom(config: Config): TransactionConfig {
  return {
    maxTimeoutMs: config.int('transaction.max.timeout.ms'),
    idExpirationMs: config.int('transactional.id.expiration.ms'),
    abortTimedOutIntervalMs: config.int(
      'transaction.abort.timed.out.transaction.cleanup.interval.ms',
    ),
    removeExpiredIntervalMs: config.int(
      'transaction.remove.expired.transaction.cleanup.interval.ms',
    ),
    loadBufferBytes: config.int('transaction.state.log.load.buffer.size'),
    requestTimeoutMs: config.int('request.timeout.ms'),
  }
}
