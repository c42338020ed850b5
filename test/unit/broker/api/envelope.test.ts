import { describe, expect, it } from 'vitest'
import { envelopeHandler } from '../../../../broker/api/58-envelope.ts'
import { WireError } from '../../../../src/base/errors.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'
import { createTopicsApi } from '../../../../src/wire/messages/19-create-topics.ts'
import type { EnvelopeResponse } from '../../../../src/wire/messages/58-envelope.ts'
import { decodeResponse, encodeRequest, encodeResponse } from '../../../../src/wire/request.ts'
import { ApiWorld } from '../../../support/api-world.ts'

const withoutSize = (chunks: readonly Buffer[]): Buffer => Buffer.concat(chunks).subarray(4)
const REQUEST = withoutSize(encodeRequest(createTopicsApi, 7, 3, 'c', { topics: [{ name: 't' }] }))

/** The envelope's answer when the request inside is answered like this. */
function envelopeOf(answer: Buffer | null | WireError, isActive = true): EnvelopeResponse {
  const world = new ApiWorld({
    services: {
      controller: { isActive } as never,
      handleForwarded: (_frame, _context, done) => {
        if (answer instanceof WireError) throw answer
        done(answer)
      },
    },
  })
  const body = {
    requestData: REQUEST,
    requestPrincipal: null,
    clientHostAddress: Buffer.from('127.0.0.1'),
  }
  return world.ask(envelopeHandler, 0, body, 'controller')
}

const created = (errorCode: number): Buffer =>
  withoutSize(encodeResponse(createTopicsApi, 7, 3, { topics: [{ name: 't', errorCode }] }))

describe('Envelope', () => {
  it('carries the answer back as it is, errors of the request among it', () => {
    const { errorCode, responseData } = envelopeOf(created(ErrorCode.TOPIC_ALREADY_EXISTS))
    expect(errorCode).toBe(ErrorCode.NONE)
    const { correlationId, body } = decodeResponse(createTopicsApi, 7, responseData!)
    expect(correlationId).toBe(3)
    expect(body.topics[0]!.errorCode).toBe(ErrorCode.TOPIC_ALREADY_EXISTS)
  })

  it.each([
    ['this node is not the controller', null, false],
    ['there is no answer', null, true],
    ['the controller resigned meanwhile', created(ErrorCode.NOT_CONTROLLER), true],
  ])(
    'says NOT_CONTROLLER itself, so that the broker asks the next one: %s',
    (_, answer, active) => {
      expect(envelopeOf(answer, active)).toMatchObject({
        errorCode: ErrorCode.NOT_CONTROLLER,
        responseData: null,
      })
    },
  )

  it('refuses a request inside that cannot be read', () => {
    expect(envelopeOf(new WireError('cut short')).errorCode).toBe(ErrorCode.INVALID_REQUEST)
  })
})
