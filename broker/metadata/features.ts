/** The feature whose level says which metadata records and versions may be written. */
export const METADATA_VERSION = 'metadata.version'
/** What a new cluster begins with. */
export const METADATA_VERSION_LEVEL = 30
/** The level's name in Kafka. */
export const METADATA_VERSION_NAME = '4.3-IV0'
/** What a broker can do that says nothing of metadata.version (3.0-IV1). */
export const OLDEST_METADATA_VERSION_LEVEL = 1
/** By whose level transactions go: flexible records from 1, the second protocol from 2 (KIP-890). */
export const TRANSACTION_VERSION = 'transaction.version'
/** Levels that a new cluster begins with besides metadata.version: of 4.3's, those that this program serves. */
export const NEW_CLUSTER_FEATURES: ReadonlyMap<string, number> = new Map([[TRANSACTION_VERSION, 2]])
/**
 * The levels that a new cluster finalizes, given what its directory was formatted with: Kafka's storage tool also names
 * features that this program does not serve.
 */
export function firstFeatures(
  formatted: ReadonlyMap<string, number> | null,
): ReadonlyMap<string, number> {
  if (formatted === null) return NEW_CLUSTER_FEATURES
  return new Map(
    [...NEW_CLUSTER_FEATURES.keys()].flatMap((name) => {
      const level = formatted.get(name) ?? 0
      return level === 0 ? [] : [[name, level] as const]
    }),
  )
}

/** What a node of this program can do; brokers register it, and a controller tells it to whoever asks. */
export const SUPPORTED_FEATURES = [
  { name: METADATA_VERSION, minSupportedVersion: 7, maxSupportedVersion: METADATA_VERSION_LEVEL },
  { name: TRANSACTION_VERSION, minSupportedVersion: 0, maxSupportedVersion: 2 },
] as const
