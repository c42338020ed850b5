import { gunzipSync, gzipSync } from 'node:zlib'
import { nativeError } from './native-error.ts'

export function gzip(bytes: Buffer): Buffer {
  return gzipSync(bytes)
}

export function gunzip(bytes: Buffer, maxBytes: number): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: Math.max(1, maxBytes) })
  } catch (error) {
    throw nativeError('gzip', error)
  }
}
