import fc from 'fast-check'
import { WireError } from '../../../src/base/errors.ts'
import { ZERO_UUID } from '../../../src/base/uuid.ts'
import { apis } from '../../../src/wire/messages/index.ts'
import { encodeRequest } from '../../../src/wire/request.ts'
import type { Api, Input } from '../../../src/wire/schema.ts'
import type { Body, BodyValue } from '../case.ts'
import { SCENES } from '../cases/index.ts'
import { bodyOfVersion } from '../variations.ts'

/** What a client may lawfully change for the worse: settings, features, who is in the cluster, where replicas are. */
const LEFT_OUT: ReadonlySet<number> = new Set([33, 44, 45, 57, 64])
const SIZE_BYTES = 4
const API_BYTES = 4
const CLIENT_ID = 'fuzz'

/** Frames as a client would send them: every API of the broker's listener in its oldest and newest version. */
export function wholeFrames(): readonly Buffer[] {
  const frames: Buffer[] = []
  for (const api of apis) {
    if (LEFT_OUT.has(api.key)) continue
    for (const scene of SCENES.get(api.key) ?? []) {
      if (scene.listener === 'controller') continue
      for (const version of new Set(api.request.validVersions)) {
        const body = bodyOfVersion(filled(scene.body), api.request.fields, version)
        const frame = tryEncode(api, version, body)
        if (frame !== null) frames.push(frame)
      }
    }
  }
  return frames
}

/** One damage to a frame; numbers from 0 to 1 are places in it. */
type Damage =
  | { readonly kind: 'flip'; readonly at: number; readonly bits: number }
  | { readonly kind: 'overwrite'; readonly at: number; readonly value: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'repeat'; readonly at: number; readonly count: number }
  | { readonly kind: 'version'; readonly value: number }

const place = fc.double({ min: 0, max: 1, noNaN: true })
const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({
    kind: fc.constant('flip' as const),
    at: place,
    bits: fc.integer({ min: 1, max: 255 }),
  }),
  fc.record({
    kind: fc.constant('overwrite' as const),
    at: place,
    value: fc.constantFrom(-1, 0, 1, 255, 32_767, 0x7f_ff_ff_ff, -0x80_00_00_00),
  }),
  fc.record({ kind: fc.constant('cut' as const), at: place }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: place,
    bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  }),
  fc.record({
    kind: fc.constant('repeat' as const),
    at: place,
    count: fc.integer({ min: 1, max: 2000 }),
  }),
  fc.record({ kind: fc.constant('version' as const), value: fc.integer({ min: -2, max: 40 }) }),
)

/** A request with one to four damages, with the size that it then has. */
export function brokenFrames(whole: readonly Buffer[]): fc.Arbitrary<Buffer> {
  return fc
    .tuple(fc.constantFrom(...whole), fc.array(damage, { minLength: 1, maxLength: 4 }))
    .map(([frame, damages]) => sized(damages.reduce(apply, frame.subarray(SIZE_BYTES))))
}

function apply(bytes: Buffer, change: Damage): Buffer {
  if (change.kind === 'version') {
    const copy = Buffer.from(bytes)
    if (copy.length >= API_BYTES) copy.writeInt16BE(change.value, 2)
    return copy
  }
  // The key and the version stay: what lies behind them is worth more than another unknown key.
  const at = Math.min(bytes.length, API_BYTES + Math.floor(change.at * bytes.length))
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)]
  switch (change.kind) {
    case 'flip': {
      const copy = Buffer.from(bytes)
      if (at < copy.length) copy.writeUInt8(copy.readUInt8(at) ^ change.bits, at)
      return copy
    }
    case 'overwrite': {
      const copy = Buffer.from(bytes)
      if (at + SIZE_BYTES <= copy.length) copy.writeInt32BE(change.value, at)
      return copy
    }
    case 'cut':
      return Buffer.from(head)
    case 'insert':
      return Buffer.concat([head, change.bytes, tail])
    case 'repeat':
      return Buffer.concat([
        head,
        ...Array.from({ length: change.count }, () => tail.subarray(0, 8)),
        tail,
      ])
  }
}

function sized(bytes: Buffer): Buffer {
  const size = Buffer.alloc(SIZE_BYTES)
  size.writeInt32BE(bytes.length)
  return Buffer.concat([size, bytes])
}

function tryEncode(api: Api<unknown, unknown>, version: number, body: Body): Buffer | null {
  try {
    return Buffer.concat(encodeRequest(api, version, 1, CLIENT_ID, body as Input<unknown>))
  } catch (error) {
    if (error instanceof WireError) return null
    throw error
  }
}

/** Nobody fills in ids here: the null id, and words where a cluster's own would stand. */
function filled(body: Body): Body {
  return fillValue(body) as Body
}

function fillValue(value: BodyValue): BodyValue {
  if (typeof value === 'string') {
    if (value.startsWith('$topicId:')) return ZERO_UUID
    return value === '$generation' ? 1 : value
  }
  if (Array.isArray(value)) return (value as readonly BodyValue[]).map(fillValue)
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return value
  return Object.fromEntries(
    Object.entries(value as Body).map(([name, inner]) => [name, fillValue(inner)]),
  )
}
