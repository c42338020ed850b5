import type { DecodedRecord } from './batch-records.ts'
import { crc32 } from 'node:zlib'
import { WireError } from '../base/errors.ts'
import { decompress } from './compression/index.ts'
import { Reader } from './reader.ts'

const CODEC_MASK = 0b111
const LOG_APPEND_TIME_BIT = 1 << 3
const NO_TIMESTAMP = -1
/** A compressed message holds plain ones only. */
const DEPTH_MAX = 1

interface LegacyMessage {
  readonly offset: number
  readonly magic: number
  readonly attributes: number
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/**
 * The records of a set of messages of magic 0 and 1, which old brokers left on disk; compressed ones
 * are opened. A message cut at the end is left out. Throws `WireError`, also for a wrong CRC.
 */
export function readLegacyMessageSet(buffer: Buffer): DecodedRecord[] {
  return readMessages(buffer, 0).map(({ offset, timestampMs, key, value }) => ({
    offset,
    timestampMs,
    key,
    value,
    headers: [],
  }))
}

function readMessages(buffer: Buffer, depth: number): LegacyMessage[] {
  const reader = new Reader(buffer)
  const messages: LegacyMessage[] = []
  while (reader.remaining >= 12) {
    const offset = reader.int64()
    const size = reader.int32()
    if (size > reader.remaining) break
    const message = readMessage(offset, reader.bytes(size))
    if ((message.attributes & CODEC_MASK) === 0) messages.push(message)
    else messages.push(...readWrapped(message, depth))
  }
  return messages
}

function readMessage(offset: number, bytes: Buffer): LegacyMessage {
  const reader = new Reader(bytes)
  const crc = reader.uint32()
  const magic = reader.int8()
  if (magic !== 0 && magic !== 1) throw new WireError(`a message of magic ${magic}`)
  if (crc !== crc32(bytes.subarray(4))) throw new WireError('a message with a wrong CRC')
  const attributes = reader.int8()
  const timestampMs = magic === 1 ? reader.int64() : NO_TIMESTAMP
  const key = reader.nullableBytes()
  const value = reader.nullableBytes()
  if (reader.remaining > 0) throw new WireError(`${reader.remaining} bytes after a message`)
  return { offset, magic, attributes, timestampMs, key, value }
}

/** With magic 1 inner offsets are relative and the wrapper has the absolute offset of the last. */
function readWrapped(wrapper: LegacyMessage, depth: number): LegacyMessage[] {
  if (depth >= DEPTH_MAX) throw new WireError('a compressed message inside a compressed message')
  if (wrapper.value === null) throw new WireError('a compressed message without a value')
  const codec = wrapper.attributes & CODEC_MASK
  if (codec > 3) throw new WireError(`a message of codec ${codec}`)
  const inner = readMessages(decompress(codec, wrapper.value), depth + 1)
  const last = inner.at(-1)
  const base = wrapper.magic === 1 && last !== undefined ? wrapper.offset - last.offset : 0
  const isAppendTime = (wrapper.attributes & LOG_APPEND_TIME_BIT) !== 0
  return inner.map((message) => ({
    ...message,
    offset: base + message.offset,
    timestampMs: isAppendTime ? wrapper.timestampMs : message.timestampMs,
  }))
}
