/** A Kafka uuid: 16 bytes as URL-safe base64 without padding, 22 characters. */
export type Uuid = string

export const ZERO_UUID: Uuid = 'AAAAAAAAAAAAAAAAAAAAAA'
/** Topic id of `__cluster_metadata`. */
export const METADATA_TOPIC_ID: Uuid = 'AAAAAAAAAAAAAAAAAAAAAQ'

const TEXT_FORM = /^[A-Za-z0-9_-]{22}$/

/** The text form of 16 bytes. */
export function uuidFromBytes(bytes: Buffer): Uuid {
  return bytes.toString('base64url')
}

/** The 16 bytes of a uuid. */
export function uuidToBytes(uuid: Uuid): Buffer {
  return Buffer.from(uuid, 'base64url')
}

export function isUuid(text: string): boolean {
  return TEXT_FORM.test(text)
}

/** A random uuid; those that Kafka reserves or that begin with `-` are drawn again. */
export function randomUuid(bytes: (count: number) => Buffer): Uuid {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const drawn = bytes(16)
    const isReserved = drawn.subarray(0, 15).every((byte) => byte === 0) && (drawn[15] ?? 0) < 100
    const text = uuidFromBytes(drawn)
    if (!isReserved && !text.startsWith('-')) return text
  }
  throw new Error('the random source gave 100 reserved uuids')
}
