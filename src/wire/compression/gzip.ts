import { gunzipSync, gzipSync } from 'node:zlib'
import { nativeError } from './native-error.ts'

export function gzip(bytes: Buffer, level?: number): Buffer {
  return level === undefined ? gzipSync(bytes) : gzipSync(bytes, { level })
}

export function gunzip(bytes: Buffer, maxBytes: number): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: Math.max(1, maxBytes) })
  } catch (error) {
    throw nativeError('gzip', error)
  }
}
