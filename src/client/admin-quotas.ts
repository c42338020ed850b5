import { describeClientQuotasApi } from '../wire/messages/48-describe-client-quotas.ts'
import { alterClientQuotasApi } from '../wire/messages/49-alter-client-quotas.ts'
import { describeUserScramCredentialsApi } from '../wire/messages/50-describe-user-scram-credentials.ts'
import { alterUserScramCredentialsApi } from '../wire/messages/51-alter-user-scram-credentials.ts'
import { ErrorCode } from '../wire/error-codes.ts'
import type { AdminChannel } from './admin-channel.ts'
import { firstProblem, KafkaError } from './kafka-error.ts'

const MatchType = { EXACT: 0, DEFAULT: 1, ANY: 2 } as const

export type QuotaEntityType = 'user' | 'client-id' | 'ip'

/** Null as a name: the default of all entities of the type. */
export type QuotaEntity = ReadonlyMap<string, string | null>

export interface QuotaFilter {
  readonly type: QuotaEntityType
  /** Null for the default entity, undefined for any. */
  readonly name: string | null | undefined
}

export interface QuotaDescription {
  readonly entity: QuotaEntity
  readonly values: ReadonlyMap<string, number>
}

export interface ScramDescription {
  readonly user: string
  readonly error: KafkaError | null
  /** Mechanisms: 1 is SCRAM-SHA-256, 2 is SCRAM-SHA-512. */
  readonly credentials: readonly { readonly mechanism: number; readonly iterations: number }[]
}

export interface ScramUpsertion {
  readonly mechanism: number
  readonly iterations: number
  readonly salt: Buffer
  readonly saltedPassword: Buffer
}

/** Quotas of users, clients and addresses, and users' SCRAM credentials. */
export class AdminQuotas {
  readonly #channel: AdminChannel

  constructor(channel: AdminChannel) {
    this.#channel = channel
  }

  /** Of entities that consist of exactly these types. */
  async describe(filters: readonly QuotaFilter[]): Promise<readonly QuotaDescription[]> {
    const { body } = await this.#channel.request({
      what: 'describe client quotas',
      to: 'any',
      api: describeClientQuotasApi,
      body: () => ({
        components: filters.map(({ type, name }) => ({
          entityType: type,
          matchType: matchTypeOf(name),
          match: name ?? null,
        })),
        strict: true,
      }),
      check: (response) => firstProblem([response]),
    })
    return (body.entries ?? []).map(({ entity, values }) => ({
      entity: new Map(entity.map(({ entityType, entityName }) => [entityType, entityName])),
      values: new Map(values.map(({ key, value }) => [key, value])),
    }))
  }

  /** Sets values of one entity; null removes one. */
  async alter(entity: QuotaEntity, values: ReadonlyMap<string, number | null>): Promise<void> {
    await this.#channel.request({
      what: 'alter client quotas',
      to: 'controller',
      api: alterClientQuotasApi,
      body: () => ({
        entries: [
          {
            entity: [...entity].map(([entityType, entityName]) => ({ entityType, entityName })),
            ops: [...values].map(([key, value]) => ({
              key,
              value: value ?? 0,
              remove: value === null,
            })),
          },
        ],
        validateOnly: false,
      }),
      check: (response) => firstProblem(response.entries),
    })
  }

  /** Of these users, of all when there are none; those without credentials are left out. */
  async describeScram(users: readonly string[]): Promise<readonly ScramDescription[]> {
    const { body } = await this.#channel.request({
      what: 'describe SCRAM credentials',
      to: 'any',
      api: describeUserScramCredentialsApi,
      body: () => ({ users: users.length === 0 ? null : users.map((name) => ({ name })) }),
      check: (response) => firstProblem([response]),
    })
    return body.results
      .filter(({ errorCode }) => errorCode !== ErrorCode.RESOURCE_NOT_FOUND)
      .map(({ user, errorCode, errorMessage, credentialInfos }) => ({
        user,
        error: errorCode === ErrorCode.NONE ? null : new KafkaError(errorCode, errorMessage),
        credentials: credentialInfos,
      }))
  }

  async alterScram(
    user: string,
    upsertions: readonly ScramUpsertion[],
    deletions: readonly number[],
  ): Promise<void> {
    await this.#channel.request({
      what: `alter SCRAM credentials of ${user}`,
      to: 'controller',
      api: alterUserScramCredentialsApi,
      body: () => ({
        deletions: deletions.map((mechanism) => ({ name: user, mechanism })),
        upsertions: upsertions.map((each) => ({ name: user, ...each })),
      }),
      check: (response) => firstProblem(response.results),
    })
  }
}

function matchTypeOf(name: string | null | undefined): number {
  if (name === undefined) return MatchType.ANY
  return name === null ? MatchType.DEFAULT : MatchType.EXACT
}
