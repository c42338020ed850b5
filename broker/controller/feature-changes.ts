import { ErrorCode } from '../../src/wire/error-codes.ts'
import { metadataRecord } from '../../src/wire/metadata-record.ts'
import type {
  UpdateFeaturesRequest,
  UpdateFeaturesResponse,
} from '../../src/wire/messages/57-update-features.ts'
import type { MetadataRecord } from '../../src/wire/records/metadata.ts'
import type { SupportedFeature } from '../metadata/cluster-image.ts'
import { METADATA_VERSION, SUPPORTED_FEATURES } from '../metadata/features.ts'
import type { ControlContext } from './control-context.ts'
import { apiError, type Outcome } from './outcome.ts'

const UpgradeType = { UPGRADE: 1, SAFE_DOWNGRADE: 2, UNSAFE_DOWNGRADE: 3 } as const
/** Up to this version the answer has a line for each feature. */
const LAST_VERSION_WITH_RESULTS = 1

type FeatureUpdate = UpdateFeaturesRequest['featureUpdates'][number]

/** Answers UpdateFeatures (KIP-584, KIP-778): all levels are finalized together, or none is. */
export function updateFeatures(
  context: ControlContext,
  version: number,
  request: UpdateFeaturesRequest,
): Outcome<UpdateFeaturesResponse> {
  const updates = new Map(request.featureUpdates.map((update) => [update.feature, update]))
  const records: MetadataRecord[] = []
  for (const update of updates.values()) {
    const problem = problemWith(context, update)
    if (problem !== null) {
      const message =
        'The update failed for all features since the following feature had an error: ' + problem
      return { records: [], response: apiError(ErrorCode.INVALID_UPDATE_VERSION, message) }
    }
    const { feature: name, maxVersionLevel: featureLevel } = update
    if (featureLevel === levelOf(context, name)) continue
    records.push(metadataRecord('FeatureLevelRecord', { name, featureLevel }))
  }
  const results = [...updates.keys()].map((feature) => ({
    feature,
    errorCode: ErrorCode.NONE,
    errorMessage: 'NONE',
  }))
  return {
    records: request.validateOnly ? [] : records,
    response: {
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      ...(version <= LAST_VERSION_WITH_RESULTS ? { results } : {}),
    },
  }
}

/** A feature that was never finalized is at 0. */
function levelOf(context: ControlContext, feature: string): number {
  return context.image.features.get(feature) ?? 0
}

/** Why the level cannot be finalized, in Kafka's words and order. */
function problemWith(context: ControlContext, update: FeatureUpdate): string | null {
  const { feature, maxVersionLevel: wanted, upgradeType } = update
  const invalid = (reason: string): string =>
    `Invalid update version ${wanted} for feature ${feature}. ${reason}`
  const known: readonly number[] = Object.values(UpgradeType)
  if (!known.includes(upgradeType)) {
    return invalid('The controller does not support the given upgrade type.')
  }
  if (wanted < 0) return invalid('A feature version cannot be less than 0.')
  const unsupported = reasonNotSupported(context, feature, wanted)
  if (unsupported !== null) return invalid(unsupported)
  const current = levelOf(context, feature)
  if (wanted < current && upgradeType === UpgradeType.UPGRADE) {
    return invalid(
      "Can't downgrade the version of this feature without setting the upgrade type to " +
        'either safe or unsafe downgrade.',
    )
  }
  if (wanted > current && upgradeType !== UpgradeType.UPGRADE) {
    return invalid("Can't downgrade to a newer version.")
  }
  if (feature !== METADATA_VERSION || wanted >= current) return null
  const reason =
    upgradeType === UpgradeType.SAFE_DOWNGRADE
      ? 'Refusing to perform the requested downgrade because it might delete metadata information.'
      : 'Unsafe metadata downgrade is not supported in this version.'
  return `Unsupported metadata.version downgrade from ${current} to ${wanted}. ${reason}`
}

/** Every node that takes part must be able to work at the level. A feature that is not named is supported at 0. */
function reasonNotSupported(
  context: ControlContext,
  feature: string,
  level: number,
): string | null {
  const isKnown = SUPPORTED_FEATURES.some(({ name }) => name === feature)
  if (!isKnown && level === 0) return `Feature ${feature} not found.`
  const self = `Local controller ${context.nodeId}`
  const own = reasonOf(self, SUPPORTED_FEATURES, feature, level)
  if (own !== null) return own
  for (const { id, features } of context.image.controllers.values()) {
    if (id === context.nodeId) continue
    const reason = reasonOf(`Controller ${id}`, features, feature, level)
    if (reason !== null) return reason
  }
  for (const { id, features } of context.image.brokers.values()) {
    const reason = reasonOf(`Broker ${id}`, features, feature, level)
    if (reason !== null) return reason
  }
  return null
}

function reasonOf(
  who: string,
  features: readonly SupportedFeature[],
  name: string,
  level: number,
): string | null {
  const supported = features.find((feature) => feature.name === name)
  if (supported === undefined) {
    return level === 0 ? null : `${who} does not support this feature.`
  }
  const { minSupportedVersion: min, maxSupportedVersion: max } = supported
  if (level >= min && level <= max) return null
  return min === max
    ? `${who} only supports version ${min}`
    : `${who} only supports versions ${min}-${max}`
}
