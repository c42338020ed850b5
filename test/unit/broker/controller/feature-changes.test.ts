import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import {
  updateFeaturesApi,
  type UpdateFeaturesRequest,
  type UpdateFeaturesResponse,
} from '../../../../src/wire/messages/57-update-features.ts'
import type { Input } from '../../../../src/wire/schema.ts'
import { answerOf, ControlWorld, fullRequest } from '../../../support/control-world.ts'

const UPGRADE = 1
const SAFE = 2
const UNSAFE = 3
const PREFIX = 'The update failed for all features since the following feature had an error: '

function update(world: ControlWorld, given: Input<UpdateFeaturesRequest>, version = 2) {
  const request = fullRequest(updateFeaturesApi, version, given)
  return answerOf<UpdateFeaturesResponse>((respond) => {
    world.controller.updateFeatures(version, request, respond)
  })
}

function level(feature: string, maxVersionLevel: number, upgradeType = UPGRADE) {
  return { featureUpdates: [{ feature, maxVersionLevel, upgradeType }] }
}

describe('UpdateFeatures', () => {
  it.each([
    ['foo', 1, UPGRADE, 'Local controller 1 does not support this feature.'],
    ['metadata.version', 99, UPGRADE, 'Local controller 1 only supports versions 7-30'],
    ['metadata.version', 0, UNSAFE, 'Local controller 1 only supports versions 7-30'],
    ['metadata.version', -1, UNSAFE, 'A feature version cannot be less than 0.'],
    ['metadata.version', 30, 7, 'The controller does not support the given upgrade type.'],
    [
      'metadata.version',
      29,
      UPGRADE,
      "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade.",
    ],
  ])('refuses %s at %i by type %i', (feature, wanted, type, reason) => {
    const world = new ControlWorld()
    const answer = update(world, level(feature, wanted, type))
    expect(answer).toEqual({
      errorCode: ErrorCode.INVALID_UPDATE_VERSION,
      errorMessage: `${PREFIX}Invalid update version ${wanted} for feature ${feature}. ${reason}`,
    })
    expect(world.image.features.get('metadata.version')).toBe(30)
  })

  it('refuses to lower metadata.version, safely or not', () => {
    const world = new ControlWorld()
    const start = `${PREFIX}Unsupported metadata.version downgrade from 30 to 22. `
    expect(update(world, level('metadata.version', 22, SAFE)).errorMessage).toBe(
      `${start}Refusing to perform the requested downgrade because it might delete metadata information.`,
    )
    expect(update(world, level('metadata.version', 22, UNSAFE)).errorMessage).toBe(
      `${start}Unsafe metadata downgrade is not supported in this version.`,
    )
  })

  it('goes by what every broker supports', () => {
    const world = new ControlWorld({ features: new Map([['metadata.version', 20]]) })
    world.register(2, {
      features: [{ name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 25 }],
    })
    const answer = update(world, level('metadata.version', 26))
    expect(answer.errorMessage).toBe(
      `${PREFIX}Invalid update version 26 for feature metadata.version. Broker 2 only supports versions 7-25`,
    )
  })

  it('finalizes a level, writes nothing for the one that is, nor to validate', () => {
    const world = new ControlWorld({ features: new Map([['metadata.version', 20]]) })
    const before = world.log.length
    const same = update(world, level('metadata.version', 20, SAFE))
    const onlyChecked = update(world, { ...level('metadata.version', 30), validateOnly: true })
    for (const answer of [same, onlyChecked]) {
      expect(answer).toEqual({ errorCode: ErrorCode.NONE, errorMessage: null })
    }
    expect(world.log.length).toBe(before)
    update(world, level('metadata.version', 30))
    expect(world.image.features.get('metadata.version')).toBe(30)
    const upAsDown = update(
      new ControlWorld({ features: new Map([['metadata.version', 20]]) }),
      level('metadata.version', 21, SAFE),
    )
    expect(upAsDown.errorMessage).toContain("Can't downgrade to a newer version.")
  })

  it('moves transaction.version up and down', () => {
    const world = new ControlWorld({ features: new Map([['transaction.version', 2]]) })
    const now = (): number | undefined => world.image.features.get('transaction.version')
    expect(update(world, level('transaction.version', 3)).errorMessage).toContain(
      'Local controller 1 only supports versions 0-2',
    )
    expect(update(world, level('transaction.version', 0)).errorMessage).toContain(
      "Can't downgrade the version of this feature without setting the upgrade type",
    )
    expect(update(world, level('transaction.version', 0, SAFE)).errorCode).toBe(ErrorCode.NONE)
    expect(now() ?? 0).toBe(0)
    update(world, level('transaction.version', 2))
    expect(now()).toBe(2)
    update(world, level('transaction.version', 1, UNSAFE))
    expect(now()).toBe(1)
  })

  it('has a line for each feature up to version 1, and none when one is refused', () => {
    const world = new ControlWorld()
    expect(update(world, level('metadata.version', 30), 1).results).toEqual([
      { feature: 'metadata.version', errorCode: ErrorCode.NONE, errorMessage: 'NONE' },
    ])
    const featureUpdates = [
      { feature: 'metadata.version', maxVersionLevel: 30 },
      { feature: 'foo', maxVersionLevel: 1 },
    ]
    expect(update(world, { featureUpdates }, 1).results).toBeUndefined()
  })
})
