import { ConfigError } from '../../src/base/errors.ts'
import { PROTOCOL_RELEASES } from './protocol-releases.ts'

/** An inclusive range of versions. */
export interface VersionRange {
  readonly minVersion: number
  readonly maxVersion: number
}

/** What this program is a build of; without a cap it serves all that it can. */
const OWN_RELEASE = '4.4'
/** Before it features were not told in ApiVersions: the first is metadata.version (KIP-778). */
const FEATURES_SINCE = '3.3'
/**
 * Brokers of this cluster fetch, verify transactions and write their markers on the listener that clients use, in
 * versions that a capped broker denies. A cap is there for clients to see an older broker, not for the cluster to be
 * one.
 */
const BROKER_CLIENT_ID = /^broker-\d+-(fetcher-\d+|txn-verifier|txn-marker-sender)$/

/** The releases that `kafkette.protocol.version` takes. */
export const PROTOCOL_VERSIONS: readonly string[] = [
  ...PROTOCOL_RELEASES.map(([release]) => release),
  OWN_RELEASE,
]

/** Makes a broker look like an older release: what that had no version of is neither told nor taken. */
export class ProtocolCap {
  readonly release: string
  readonly #ranges: ReadonlyMap<number, VersionRange>

  private constructor(release: string, ranges: ReadonlyMap<number, VersionRange>) {
    this.release = release
    this.#ranges = ranges
  }

  /** Null for no cap. Throws `ConfigError` for a release that is not known. */
  static of(release: string | null): ProtocolCap | null {
    if (release === null || release === OWN_RELEASE) return null
    const found = PROTOCOL_RELEASES.find(([name]) => name === release)
    if (found === undefined) {
      throw new ConfigError(
        `Invalid value ${release} for configuration kafkette.protocol.version: expected one of ${PROTOCOL_VERSIONS.join(', ')}`,
      )
    }
    const ranges = found[1].map(
      ([key, minVersion, maxVersion]) => [key, { minVersion, maxVersion }] as const,
    )
    return new ProtocolCap(release, new Map(ranges))
  }

  get hasFeatures(): boolean {
    return PROTOCOL_VERSIONS.indexOf(this.release) >= PROTOCOL_VERSIONS.indexOf(FEATURES_SINCE)
  }

  /** What both the release and this program have of an API; null when there is nothing. */
  limit(apiKey: number, served: VersionRange): VersionRange | null {
    const released = this.#ranges.get(apiKey)
    if (released === undefined) return null
    const minVersion = Math.max(served.minVersion, released.minVersion)
    const maxVersion = Math.min(served.maxVersion, released.maxVersion)
    return minVersion > maxVersion ? null : { minVersion, maxVersion }
  }

  /** Whether the cap holds for a client of this id. */
  holdsFor(clientId: string | null): boolean {
    return clientId === null || !BROKER_CLIENT_ID.test(clientId)
  }
}
