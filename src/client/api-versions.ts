import type { ApiVersionsResponse } from '../wire/messages/18-api-versions.ts'
import type { Api } from '../wire/schema.ts'
import { UnsupportedVersionError } from './kafka-error.ts'

/** Bounds that a caller sets because it needs, or must not use, what some version added. */
export interface VersionLimits {
  readonly min?: number
  readonly max?: number
}

/** What one broker says it serves. */
export class ApiVersions {
  readonly #ranges = new Map<number, readonly [number, number]>()
  readonly #features = new Map<string, number>()
  /** Grows with every change of a finalized feature; -1: the broker knows of none. */
  readonly featuresEpoch: number

  constructor(response: ApiVersionsResponse) {
    for (const each of response.apiKeys) {
      this.#ranges.set(each.apiKey, [each.minVersion, each.maxVersion])
    }
    this.featuresEpoch = response.finalizedFeaturesEpoch
    for (const feature of response.finalizedFeatures) {
      this.#features.set(feature.name, feature.maxVersionLevel)
    }
  }

  /** The served range of an API key; null when the broker does not serve it. */
  range(apiKey: number): readonly [min: number, max: number] | null {
    return this.#ranges.get(apiKey) ?? null
  }

  /** The finalized level of a feature such as `transaction.version`; 0 when there is none. */
  featureLevel(name: string): number {
    return this.#features.get(name) ?? 0
  }

  /** The newest version within both ranges and the limits, or why there is none. */
  choose<Req, Res>(api: Api<Req, Res>, limits?: VersionLimits): number | UnsupportedVersionError {
    const theirs = this.#ranges.get(api.key)
    if (theirs === undefined) {
      return new UnsupportedVersionError(`the broker does not serve ${api.name} (${api.key})`)
    }
    const [ourMin, ourNewest] = api.request.validVersions
    const ourMax = api.latestVersionUnstable ? ourNewest - 1 : ourNewest
    const min = Math.max(ourMin, theirs[0], limits?.min ?? 0)
    const max = Math.min(ourMax, theirs[1], limits?.max ?? Infinity)
    if (min <= max) return max
    return new UnsupportedVersionError(
      `${api.name}: the broker serves versions ${theirs[0]} to ${theirs[1]}, ` +
        `expected one from ${Math.max(ourMin, limits?.min ?? 0)} to ${Math.min(ourMax, limits?.max ?? ourMax)}`,
    )
  }
}
