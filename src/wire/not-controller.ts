import { ErrorCode } from './error-codes.ts'

/**
 * Whether a response says NOT_CONTROLLER anywhere, also in the answer about a single topic (Kafka's
 * `errorCounts`): then the node that sent it was no longer the active controller, and another has to be asked.
 */
export function saysNotController(response: unknown): boolean {
  if (typeof response !== 'object' || response === null || Buffer.isBuffer(response)) return false
  if (Array.isArray(response)) return response.some(saysNotController)
  const hasCode = 'errorCode' in response && response.errorCode === ErrorCode.NOT_CONTROLLER
  return hasCode || Object.values(response).some(saysNotController)
}
