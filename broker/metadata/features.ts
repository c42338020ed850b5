/** The feature whose level says which metadata records and versions may be written. */
export const METADATA_VERSION = 'metadata.version'
/** What a new cluster begins with. */
export const METADATA_VERSION_LEVEL = 30
/** The level's name in Kafka. */
export const METADATA_VERSION_NAME = '4.3-IV0'
/** What a broker can do that says nothing of metadata.version (3.0-IV1). */
export const OLDEST_METADATA_VERSION_LEVEL = 1
/** What a node of this program can do; brokers register it, and a controller tells it to whoever asks. */
export const SUPPORTED_FEATURES = [
  { name: METADATA_VERSION, minSupportedVersion: 7, maxSupportedVersion: METADATA_VERSION_LEVEL },
] as const
