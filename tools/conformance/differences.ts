import type { Normal } from './normal-form.ts'

export interface Difference {
  /** Where: names of fields, `[]` for an element of a list. Empty for the whole answer. */
  readonly path: string
  readonly kafka: Normal | undefined
  readonly ours: Normal | undefined
}

/** Where two answers in normal form differ; lists of different lengths are one difference. */
export function differencesOf(kafka: Normal, ours: Normal, path = ''): Difference[] {
  if (JSON.stringify(kafka) === JSON.stringify(ours)) return []
  if (Array.isArray(kafka) && Array.isArray(ours)) {
    const byKey = keyedDifferences(kafka as readonly Normal[], ours as readonly Normal[], path)
    if (byKey !== null) return byKey
    if (kafka.length !== ours.length) return [{ path, kafka, ours }]
    const elements = ours as readonly Normal[]
    return (kafka as readonly Normal[]).flatMap((element, index) =>
      differencesOf(element, elements[index] ?? null, `${path}[]`),
    )
  }
  if (isStruct(kafka) && isStruct(ours) && !('outcome' in kafka) && !('outcome' in ours)) {
    const names = [...new Set([...Object.keys(kafka), ...Object.keys(ours)])]
    return names.flatMap((name) =>
      differencesOf(
        kafka[name] ?? null,
        ours[name] ?? null,
        path === '' ? name : `${path}.${name}`,
      ),
    )
  }
  return [{ path, kafka, ours }]
}

/** Elements with a name or an API key of their own are compared with their like: `[x]` is one that only one side has. */
function keyedDifferences(
  kafka: readonly Normal[],
  ours: readonly Normal[],
  path: string,
): Difference[] | null {
  const [theirs, own] = [keyed(kafka), keyed(ours)]
  if (theirs === null || own === null) return null
  return [...new Set([...theirs.keys(), ...own.keys()])].flatMap((key): Difference[] => {
    const [one, other] = [theirs.get(key), own.get(key)]
    if (one !== undefined && other !== undefined) return differencesOf(one, other, `${path}[]`)
    return [{ path: `${path}[${key}]`, kafka: one, ours: other }]
  })
}

/** Null when not every element has a key of its own. */
function keyed(elements: readonly Normal[]): ReadonlyMap<string, Normal> | null {
  const byKey = new Map<string, Normal>()
  for (const element of elements) {
    const key = isStruct(element) ? (element['name'] ?? element['apiKey']) : undefined
    if (typeof key !== 'string' && typeof key !== 'number') return null
    if (byKey.has(String(key))) return null
    byKey.set(String(key), element)
  }
  return byKey
}

function isStruct(value: Normal): value is { readonly [name: string]: Normal } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
