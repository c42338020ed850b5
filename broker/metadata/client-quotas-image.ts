import type { ClientQuotaRecord } from '../../src/wire/records/metadata.ts'

/** What a quota is for: a name for each type of entity, null for the default of the type. */
export type QuotaEntity = ReadonlyMap<string, string | null>

/** The types that there are, in the order in which an entity is written. */
export const QUOTA_ENTITY_TYPES: readonly string[] = ['client-id', 'user', 'ip']

/** One entity with its quotas by key. Immutable: a change makes a new value. */
export interface ClientQuotas {
  readonly entity: QuotaEntity
  readonly values: ReadonlyMap<string, number>
}

const NO_VALUES: ReadonlyMap<string, number> = new Map()

/** The quotas of users, client ids and addresses (KIP-546). */
export class ClientQuotasImage {
  readonly #byKey = new Map<string, ClientQuotas>()

  /** In the order in which the entities got their first quota. */
  all(): Iterable<ClientQuotas> {
    return this.#byKey.values()
  }

  of(entity: QuotaEntity): ReadonlyMap<string, number> {
    return this.#byKey.get(keyOf(entity))?.values ?? NO_VALUES
  }

  clone(): ClientQuotasImage {
    const copy = new ClientQuotasImage()
    for (const [key, quotas] of this.#byKey) copy.#byKey.set(key, quotas)
    return copy
  }

  apply(record: ClientQuotaRecord): void {
    const entity = orderedEntity(
      new Map(record.entity.map(({ entityType, entityName }) => [entityType, entityName])),
    )
    const values = new Map(this.of(entity))
    if (record.remove) values.delete(record.key)
    else values.set(record.key, record.value)
    const key = keyOf(entity)
    if (values.size === 0) this.#byKey.delete(key)
    else this.#byKey.set(key, { entity, values })
  }
}

/** The same entity with its types in the order of `QUOTA_ENTITY_TYPES`, unknown ones last. */
export function orderedEntity(entity: QuotaEntity): QuotaEntity {
  const rank = (type: string): number => {
    const index = QUOTA_ENTITY_TYPES.indexOf(type)
    return index === -1 ? QUOTA_ENTITY_TYPES.length : index
  }
  return new Map([...entity].sort(([left], [right]) => rank(left) - rank(right)))
}

/** The same for equal entities, and for no others. */
export function keyOf(entity: QuotaEntity): string {
  return JSON.stringify([...orderedEntity(entity)])
}
