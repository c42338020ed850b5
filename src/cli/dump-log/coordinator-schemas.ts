import type { MessageSchema } from '../../wire/schema.ts'

export type AnySchema = MessageSchema<object>

/** Schemas of keys and values by the type of record. */
export interface CoordinatorSchemas {
  readonly keys: ReadonlyMap<number, AnySchema>
  readonly values: ReadonlyMap<number, AnySchema>
}

/** Sorts a module of generated record tables, in which every type has a key and a value. */
export function coordinatorSchemas(module: object): CoordinatorSchemas {
  const schemas = Object.values(module) as readonly AnySchema[]
  const byType = (ending: string): ReadonlyMap<number, AnySchema> =>
    new Map(schemas.filter(({ name }) => name.endsWith(ending)).map((each) => [each.apiKey, each]))
  return { keys: byType('Key'), values: byType('Value') }
}
