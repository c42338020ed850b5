import type { AnySchema } from '../../../support/wire-arbitraries.ts'
import { deepStrictEqual } from 'node:assert'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { apiByKey, apis } from '../../../../src/wire/messages/index.ts'
import { Reader } from '../../../../src/wire/reader.ts'
import { decodeFromBuffer, decodeMessage, encodeToBuffer } from '../../../../src/wire/schema.ts'
import {
  allMessages,
  allRecords,
  arbitraryMessage,
  valueOrWireError,
  versionsOf,
} from '../../../support/wire-arbitraries.ts'

const RUNS = 12
const FUZZ_RUNS = 6

function checkRoundTrip(schema: AnySchema, version: number): void {
  const property = fc.property(arbitraryMessage(schema, version), (message) => {
    const encoded = encodeToBuffer(schema, version, message)
    const reader = new Reader(encoded)
    const decoded = decodeMessage(schema, version, reader)
    deepStrictEqual(decoded, message)
    expect(reader.remaining).toBe(0)
    expect(encodeToBuffer(schema, version, decoded as object).equals(encoded)).toBe(true)
  })
  fc.assert(property, { numRuns: RUNS })
}

/** Bytes that are random, a valid message cut short, or a valid message with one byte changed. */
function checkHostile(schema: AnySchema, version: number): void {
  const encoded = arbitraryMessage(schema, version).map((message) =>
    encodeToBuffer(schema, version, message),
  )
  const cut = fc
    .tuple(encoded, fc.nat())
    .map(([whole, end]) => whole.subarray(0, end % (whole.length + 1)))
  const changed = fc.tuple(encoded, fc.nat(), fc.nat(255)).map(([whole, at, byte]) => {
    if (whole.length > 0) whole[at % whole.length] = byte
    return whole
  })
  const random = fc.uint8Array({ maxLength: 64 }).map((array) => Buffer.from(array))
  const property = fc.property(fc.oneof(cut, changed, random), (bytes) => {
    valueOrWireError(() => decodeFromBuffer(schema, version, bytes))
  })
  fc.assert(property, { numRuns: FUZZ_RUNS * 3 })
}

describe.each([
  ['message', allMessages],
  ['record', allRecords],
])('every %s', (_, schemas) => {
  it('is the same after encoding and decoding, in every valid version', () => {
    for (const schema of schemas) {
      for (const version of versionsOf(schema)) checkRoundTrip(schema, version)
    }
  })

  it('takes a message of defaults in every version', () => {
    for (const schema of schemas) {
      for (const version of versionsOf(schema)) {
        const decoded = decodeFromBuffer(schema, version, encodeToBuffer(schema, version, {}))
        expect(encodeToBuffer(schema, version, decoded as object)).toEqual(
          encodeToBuffer(schema, version, {}),
        )
      }
    }
  })

  it('answers cut, changed and random bytes with a value or a WireError', () => {
    for (const schema of schemas) {
      for (const version of versionsOf(schema)) checkHostile(schema, version)
    }
  })

  it('does not allocate for the count of an array that cannot follow', () => {
    const hostile = Buffer.alloc(64, 0x7f)
    for (const schema of schemas) {
      for (const version of versionsOf(schema)) {
        valueOrWireError(() => decodeFromBuffer(schema, version, hostile))
      }
    }
  })
})

describe('the api tables', () => {
  it('hold 91 apis, found by key', () => {
    expect(apis).toHaveLength(91)
    expect(apiByKey(0)?.name).toBe('Produce')
    expect(apiByKey(18)?.request.validVersions).toEqual([0, 5])
    expect(apiByKey(4)).toBeUndefined()
    expect(apiByKey(-1)).toBeUndefined()
  })

  it('name InitProducerId as the only api whose newest version is unstable', () => {
    const unstable = apis.filter((api) => api.latestVersionUnstable).map((api) => api.name)
    expect(unstable).toEqual(['InitProducerId'])
  })

  it('serve the newest version that kafkajs can send', () => {
    const path = new URL('../../../vectors/client-versions.json', import.meta.url)
    const rows = JSON.parse(readFileSync(path, 'utf8')) as { key: number; kafkajs: number }[]
    expect(rows.length).toBeGreaterThan(30)
    const unserved = rows.filter(({ key, kafkajs }) => {
      const [min, max] = apiByKey(key)!.request.validVersions
      return kafkajs < min || kafkajs > max
    })
    expect(unserved).toEqual([])
  })
})
