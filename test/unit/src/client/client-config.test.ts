import { describe, expect, it } from 'vitest'
import {
  deliveryTimeoutMs,
  isIdempotent,
  parseClientConfig,
  requiredAcks,
  type Properties,
} from '../../../../src/client/client-config.ts'

const BASE = { 'bootstrap.servers': 'a:1' }

const producer = (own: Properties) => parseClientConfig('producer', { ...BASE, ...own }).config

describe('parseClientConfig', () => {
  it("has the defaults of Kafka's clients", () => {
    const config = producer({})
    expect([config.int('batch.size'), config.long('linger.ms'), config.string('acks')]).toEqual([
      16_384,
      5,
      'all',
    ])
    const consumer = parseClientConfig('consumer', BASE).config
    expect(consumer.int('max.poll.records')).toBe(500)
    expect(consumer.string('auto.offset.reset')).toBe('latest')
  })

  it('names what it does not know, with what was probably meant', () => {
    const { unknownNames } = parseClientConfig('producer', {
      ...BASE,
      'linger.mss': '1',
      acks: '1',
    })
    expect(unknownNames).toEqual([{ name: 'linger.mss', nearest: 'linger.ms' }])
  })

  it('refuses values that cannot be used', () => {
    const wrong: [Properties, string][] = [
      [{ acks: '2' }, 'acks'],
      [{ 'compression.type': 'rar' }, 'compression.type'],
      [{ 'linger.ms': '-1' }, 'linger.ms'],
      [{ 'batch.size': 'many' }, 'batch.size'],
      [{ 'security.protocol': 'SSL' }, 'security.protocol'],
      [{ 'transactional.id': 'x', acks: '1' }, 'transactional.id is set, so acks must be "all"'],
      [{ 'transactional.id': 'x', 'enable.idempotence': 'false' }, 'enable.idempotence'],
      [{ 'delivery.timeout.ms': '1000' }, 'linger.ms + request.timeout.ms'],
      [{ 'enable.idempotence': 'true', acks: '1' }, 'acks must be "all"'],
      [{ 'enable.idempotence': 'true', retries: '0' }, 'retries'],
      [
        { 'enable.idempotence': 'true', 'max.in.flight.requests.per.connection': '6' },
        'max.in.flight',
      ],
    ]
    for (const [properties, text] of wrong) expect(() => producer(properties)).toThrow(text)
    expect(() => parseClientConfig('admin', {})).toThrow('bootstrap.servers')
    const consumer = { ...BASE, 'heartbeat.interval.ms': '1000', 'session.timeout.ms': '1000' }
    expect(() => parseClientConfig('consumer', consumer)).toThrow('heartbeat.interval.ms')
  })

  it('is idempotent unless another setting that was given rules it out', () => {
    expect(isIdempotent(producer({}))).toBe(true)
    expect(isIdempotent(producer({ acks: '-1' }))).toBe(true)
    for (const own of [
      { acks: '1' },
      { retries: '0' },
      { 'max.in.flight.requests.per.connection': '6' },
      { 'enable.idempotence': 'false' },
    ] as Properties[]) {
      expect(isIdempotent(producer(own))).toBe(false)
    }
  })

  it('gives lingering and the request time enough for delivery unless told otherwise', () => {
    expect(deliveryTimeoutMs(producer({}))).toBe(120_000)
    expect(deliveryTimeoutMs(producer({ 'linger.ms': '200000' }))).toBe(230_000)
    expect(deliveryTimeoutMs(producer({ 'delivery.timeout.ms': '40000' }))).toBe(40_000)
  })

  it('reads acks', () => {
    const acks = ['all', '-1', '0', '1'].map((text) => requiredAcks(producer({ acks: text })))
    expect(acks).toEqual([-1, -1, 0, 1])
  })
})
