import { messageOf, WireError } from '../../base/errors.ts'

/** What a codec's library threw, as an error of the protocol. */
export function nativeError(codec: string, error: unknown): WireError {
  return error instanceof WireError
    ? error
    : new WireError(`bad ${codec} data: ${messageOf(error)}`)
}
