// Versions: 0-2.
// Behaviour: the transactional ids that this broker coordinates, filtered by state, producer id, duration and pattern
//   (KIP-664). States that do not exist are named in the answer.
// Added: v1 duration (KIP-994); v2 pattern of the transactional id (KIP-1152).
// Not done: RE2's dialect; the pattern is JavaScript's, without look-around and back references, which RE2 does not have
//   either.
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  listTransactionsApi,
  type ListTransactionsRequest,
  type ListTransactionsResponse,
} from '../../src/wire/messages/66-list-transactions.ts'
import type { ApiHandler } from '../server/request-context.ts'

const NOT_IN_RE2 = /\\[1-9k]|\(\?<?[=!]/

export const listTransactionsHandler: ApiHandler<
  ListTransactionsRequest,
  ListTransactionsResponse
> = {
  api: listTransactionsApi,
  minVersion: 0,
  maxVersion: 2,
  listeners: ['broker'],
  handle({ services }, request, respond) {
    const { stateFilters, producerIdFilters, durationFilter, transactionalIdPattern } = request
    const pattern = wholePattern(transactionalIdPattern)
    if (pattern === 'invalid') {
      respond({ errorCode: ErrorCode.INVALID_REGULAR_EXPRESSION })
      return
    }
    const filter = {
      stateNames: stateFilters,
      producerIds: producerIdFilters,
      durationMs: durationFilter,
      pattern,
    }
    respond(services.transactions.list(filter))
  },
}

/** Null matches all. */
function wholePattern(pattern: string | null): RegExp | null | 'invalid' {
  if (pattern === null || pattern === '') return null
  if (NOT_IN_RE2.test(pattern)) return 'invalid'
  try {
    return new RegExp(`^(?:${pattern})$`, 'u')
  } catch {
    return 'invalid'
  }
}
