import { ErrorCode } from '../../src/wire/error-codes.ts'

/** What a controller without `authorizer.class.name` says to everybody who changes ACLs. */
export const NO_AUTHORIZER = {
  errorCode: ErrorCode.SECURITY_DISABLED,
  errorMessage: 'No Authorizer is configured.',
} as const

const UNKNOWN = 0

/** An ACL, or a filter of ACLs, with the code that stands for the unknown; Kafka ends the connection then. */
export function hasUnknownCode(codes: {
  readonly resourceType: number
  readonly patternType: number
  readonly operation: number
  readonly permissionType: number
}): boolean {
  const { resourceType, patternType, operation, permissionType } = codes
  return [resourceType, patternType, operation, permissionType].includes(UNKNOWN)
}
