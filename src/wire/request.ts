import type { Api, Input } from './schema.ts'
import { requestFlexibleFrom } from './messages/flexible-from.ts'
import { requestHeader, responseHeader } from './messages/header.ts'
import { Reader } from './reader.ts'
import { decodeMessage, encodeMessage, isFlexible } from './schema.ts'
import { Writer } from './writer.ts'

const API_VERSIONS_KEY = 18

export interface DecodedRequestHeader {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
  /** Stands at the first byte of the body. */
  readonly reader: Reader
}

export interface DecodedResponse<Res> {
  readonly correlationId: number
  readonly body: Res
}

/** A request with its header and the size before it, ready to be sent. */
export function encodeRequest<Req, Res>(
  api: Api<Req, Res>,
  version: number,
  correlationId: number,
  clientId: string | null,
  body: NoInfer<Input<Req>>,
): Buffer[] {
  const header = { requestApiKey: api.key, requestApiVersion: version, correlationId, clientId }
  const writer = new Writer()
  writer.beginFrame()
  encodeMessage(requestHeader, isFlexible(api.request, version) ? 2 : 1, header, writer)
  encodeMessage(api.request, version, body, writer)
  return writer.toFrame()
}

/**
 * The header of a request. Versions newer than the tables know are taken as flexible, as ApiVersions
 * requires; the header of an unknown api key as not flexible. Throws `WireError`.
 */
export function decodeRequestHeader(frame: Buffer): DecodedRequestHeader {
  const reader = new Reader(frame)
  const apiKey = reader.int16()
  const apiVersion = reader.int16()
  reader.position = 0
  const headerVersion = apiVersion >= (requestFlexibleFrom.get(apiKey) ?? Infinity) ? 2 : 1
  const { correlationId, clientId } = decodeMessage(requestHeader, headerVersion, reader)
  return { apiKey, apiVersion, correlationId, clientId, reader }
}

/** A response with its header and the size before it, ready to be sent. */
export function encodeResponse<Req, Res>(
  api: Api<Req, Res>,
  version: number,
  correlationId: number,
  body: NoInfer<Input<Res>>,
): Buffer[] {
  const writer = new Writer()
  writer.beginFrame()
  encodeMessage(responseHeader, responseHeaderVersion(api, version), { correlationId }, writer)
  encodeMessage(api.response, version, body, writer)
  return writer.toFrame()
}

/** The response in a frame whose request had this api and version. Throws `WireError`. */
export function decodeResponse<Req, Res>(
  api: Api<Req, Res>,
  version: number,
  frame: Buffer,
): DecodedResponse<Res> {
  const { correlationId, reader } = decodeResponseHeader(api, version, frame)
  return { correlationId, body: decodeMessage(api.response, version, reader) }
}

/** The header of a response; the reader stands at the first byte of the body. */
export function decodeResponseHeader(
  api: Api<unknown, unknown>,
  version: number,
  frame: Buffer,
): { readonly correlationId: number; readonly reader: Reader } {
  const reader = new Reader(frame)
  const headerVersion = responseHeaderVersion(api, version)
  const { correlationId } = decodeMessage(responseHeader, headerVersion, reader)
  return { correlationId, reader }
}

/** The correlation id of a response frame, whatever its api. */
export function correlationIdOf(frame: Buffer): number {
  return new Reader(frame).int32()
}

/** ApiVersions answers always have the first header: the client does not know the versions yet. */
function responseHeaderVersion(api: Api<unknown, unknown>, version: number): 0 | 1 {
  return api.key !== API_VERSIONS_KEY && isFlexible(api.response, version) ? 1 : 0
}
