import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { API_HANDLERS } from '../../../../broker/api/index.ts'
import { PROTOCOL_VERSIONS, ProtocolCap } from '../../../../broker/server/protocol-cap.ts'
import { servedApis } from '../../../../broker/server/router.ts'
import { generateReleases } from '../../../../tools/generate-releases.ts'

function rangesOf(release: string): ReadonlyMap<number, readonly [number, number]> {
  const served = servedApis(API_HANDLERS, 'broker', ProtocolCap.of(release))
  return new Map(served.map((each) => [each.apiKey, [each.minVersion, each.maxVersion]]))
}

describe('ProtocolCap', () => {
  it('is made of the table of releases', () => {
    const file = new URL('../../../../broker/server/protocol-releases.ts', import.meta.url)
    expect(readFileSync(file, 'utf8')).toBe(generateReleases())
  })

  it('limits to what a release has in common with this broker', () => {
    const old = rangesOf('2.8')
    expect([0, 1, 3, 18, 19].map((key) => old.get(key))).toEqual([
      [3, 9],
      [4, 12],
      [0, 11],
      [0, 3],
      [2, 7],
    ])
    expect([74, 75, 71].map((key) => old.has(key))).toEqual([false, false, false])
    expect(rangesOf('3.9').get(1)).toEqual([4, 17])
    expect(rangesOf('3.9').has(75)).toBe(true)
  })

  it('leaves out unstable versions, and an API of which nothing is left', () => {
    const released = ProtocolCap.of('4.0')!
    expect(released.limit(78, { minVersion: 0, maxVersion: 5 })).toBeNull()
    expect(released.limit(0, { minVersion: 90, maxVersion: 99 })).toBeNull()
    expect(released.limit(9999, { minVersion: 0, maxVersion: 0 })).toBeNull()
  })

  it('takes nothing away with the newest release, and grows from release to release', () => {
    expect(ProtocolCap.of('4.4')).toBeNull()
    expect(ProtocolCap.of(null)).toBeNull()
    for (const [index, release] of PROTOCOL_VERSIONS.entries()) {
      const next = PROTOCOL_VERSIONS[index + 1]
      if (next === undefined) break
      for (const [key, [, max]] of rangesOf(release)) {
        expect(rangesOf(next).get(key)?.[1], `${release} ${key}`).toBeGreaterThanOrEqual(max)
      }
    }
  })

  it('has features from 3.3 on', () => {
    const hasFeatures = (release: string): boolean => ProtocolCap.of(release)!.hasFeatures
    expect(['2.8', '3.2', '3.3', '4.3'].map(hasFeatures)).toEqual([false, false, true, true])
  })

  it('does not hold for the brokers of this cluster, which are known by their client ids', () => {
    const cap = ProtocolCap.of('2.8')!
    for (const id of [null, 'app', 'broker-1']) expect(cap.holdsFor(id)).toBe(true)
    const own = ['broker-12-fetcher-0', 'broker-1-txn-verifier', 'broker-1-txn-marker-sender']
    for (const id of own) expect(cap.holdsFor(id)).toBe(false)
  })

  it('refuses a release that it does not know', () => {
    expect(() => ProtocolCap.of('2.9')).toThrow('kafkette.protocol.version')
  })
})
