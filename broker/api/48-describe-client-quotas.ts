// Versions: 0-1.
// Behaviour: the quotas of the entities that have all types asked for, by name, by default or with any name; strict: and no
//   others (KIP-546).
// Added: v1 flexible.
// Not done: the quotas are stored and described, but not enforced; ACLs: everybody may do every operation.
import { ErrorCode } from '../../src/wire/error-codes.ts'
import {
  describeClientQuotasApi,
  type DescribeClientQuotasRequest,
  type DescribeClientQuotasResponse,
} from '../../src/wire/messages/48-describe-client-quotas.ts'
import { QUOTA_ENTITY_TYPES, type QuotaEntity } from '../metadata/client-quotas-image.ts'
import type { ApiHandler } from '../server/request-context.ts'

const EXACT = 0
const DEFAULT = 1
const SPECIFIED = 2

type Component = DescribeClientQuotasRequest['components'][number]

interface Problem {
  readonly errorCode: number
  readonly errorMessage: string
}

export const describeClientQuotasHandler: ApiHandler<
  DescribeClientQuotasRequest,
  DescribeClientQuotasResponse
> = {
  api: describeClientQuotasApi,
  minVersion: 0,
  maxVersion: 1,
  listeners: ['broker'],
  handle({ services }, { components, strict }, respond) {
    const problem = problemWithFilter(components)
    if (problem !== null) {
      respond({ ...problem, entries: null })
      return
    }
    const found = [...services.image().clientQuotas.all()].filter(
      ({ entity }) =>
        components.every((component) => isMatch(component, entity)) &&
        (!strict || entity.size === components.length),
    )
    respond({
      errorCode: ErrorCode.NONE,
      errorMessage: '',
      entries: found.map(({ entity, values }) => ({
        entity: [...entity].map(([entityType, entityName]) => ({ entityType, entityName })),
        values: [...values].map(([key, value]) => ({ key, value })),
      })),
    })
  },
}

function isMatch({ entityType, matchType, match }: Component, entity: QuotaEntity): boolean {
  const name = entity.get(entityType)
  if (name === undefined) return false
  if (matchType === SPECIFIED) return true
  return name === (matchType === DEFAULT ? null : match)
}

function invalid(errorMessage: string): Problem {
  return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage }
}

function problemWithMatch({ matchType, match }: Component): Problem | null {
  if (matchType === EXACT) {
    return match === null
      ? invalid('Request specified MATCH_TYPE_EXACT, but set match string to null.')
      : null
  }
  if (matchType !== DEFAULT && matchType !== SPECIFIED) {
    return invalid(`Unknown match type ${matchType}`)
  }
  const name = matchType === DEFAULT ? 'DEFAULT' : 'SPECIFIED'
  return match === null
    ? null
    : invalid(`Request specified MATCH_TYPE_${name}, but also specified a match string.`)
}

function problemWithFilter(components: readonly Component[]): Problem | null {
  const seen = new Set<string>()
  for (const component of components) {
    const { entityType } = component
    if (entityType === '') return invalid('Invalid empty entity type.')
    if (seen.has(entityType)) {
      return invalid(`Entity type ${entityType} cannot appear more than once in the filter.`)
    }
    if (!QUOTA_ENTITY_TYPES.includes(entityType)) {
      const errorMessage = `Unsupported entity type ${entityType}`
      return { errorCode: ErrorCode.UNSUPPORTED_VERSION, errorMessage }
    }
    const mismatch = problemWithMatch(component)
    if (mismatch !== null) return mismatch
    seen.add(entityType)
  }
  if (!seen.has('ip') || seen.size === 1) return null
  return invalid(
    'Invalid entity filter component combination. IP filter component should not be used with ' +
      'user or clientId filter component.',
  )
}
