import { describe, expect, it } from 'vitest'
import { ConnectionError, WireError } from '../../../../src/base/errors.ts'
import { KafkaError } from '../../../../src/client/kafka-error.ts'
import { asPromise, backoffMs, withRetries } from '../../../../src/client/retry.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'
import { ErrorCode } from '../../../../src/wire/error-codes.ts'

type Attempt = (done: (error: Error | null, value: number | null) => void) => void

function setUp(timeoutMs: number, attempt: Attempt) {
  const world = new SimWorld({ seed: 1 })
  const { clock, random } = world.node('n').ports
  const attempts: number[] = []
  const ended: unknown[] = []
  const running = withRetries<number>({
    what: 'the thing',
    clock,
    random,
    backoff: { baseMs: 100, maxMs: 1000 },
    timeoutMs,
    attempt: (_remainingMs, done) => {
      attempts.push(clock.monoMs())
      attempt(done)
    },
    done: (error, value) => ended.push(error ?? value),
  })
  return { world, attempts, ended, running }
}

describe('withRetries', () => {
  it('tries again, later and later, until it works', () => {
    let count = 0
    const { world, attempts, ended } = setUp(60_000, (done) => {
      count += 1
      if (count < 7) done(new ConnectionError('lost'), null)
      else done(null, 42)
    })
    world.runFor(10_000)
    expect(ended).toEqual([42])
    const waits = attempts.slice(1).map((at, index) => at - attempts[index]!)
    const wanted = [100, 200, 400, 800, 1000, 1000]
    waits.forEach((wait, index) => {
      expect(wait).toBeGreaterThan(wanted[index]! * 0.79)
      expect(wait).toBeLessThan(wanted[index]! * 1.21)
    })
  })

  it('ends at once with an error that no retry helps', () => {
    const fatal = new KafkaError(ErrorCode.INVALID_REQUEST)
    const { world, attempts, ended } = setUp(60_000, (done) => done(fatal, null))
    world.runFor(1000)
    expect([ended, attempts.length]).toEqual([[fatal], 1])
    const wire = setUp(60_000, (done) => done(new WireError('bad'), null))
    expect(wire.ended).toHaveLength(1)
  })

  it('ends when the time is over, with the last error as the cause', () => {
    const cause = new KafkaError(ErrorCode.NOT_CONTROLLER, 'not me')
    const { world, ended } = setUp(1000, (done) => done(cause, null))
    world.runFor(999)
    expect(ended).toEqual([])
    world.runFor(2)
    expect(ended[0]).toMatchObject({
      code: 'TIMEOUT',
      cause,
      message: 'the thing: not done within 1000 ms; the last try failed: not me',
    })
  })

  it('ends in time although a try never ends, and ignores what that says later', () => {
    const held: (() => void)[] = []
    const { world, ended } = setUp(500, (done) => held.push(() => done(null, 1)))
    world.runFor(600)
    held[0]!()
    expect(ended).toEqual([expect.objectContaining({ code: 'TIMEOUT' })])
  })

  it('can be cancelled, with or without a word', () => {
    const one = setUp(Infinity, () => undefined)
    one.running.cancel()
    one.running.cancel()
    expect(one.ended).toEqual([expect.any(ConnectionError)])
    const two = setUp(Infinity, (done) => done(new ConnectionError('lost'), null))
    two.running.abandon()
    two.running.cancel()
    two.world.runFor(5000)
    expect([two.ended, two.attempts.length]).toEqual([[], 1])
  })
})

describe('backoffMs', () => {
  it('stays within 20 % of a doubling delay with a limit', () => {
    const random = new SimWorld({ seed: 2 }).random('r')
    for (let failures = 1; failures < 100; failures += 1) {
      const term = Math.min(50 * 2 ** Math.min(failures - 1, 30), 1000)
      const delay = backoffMs(failures, { baseMs: 50, maxMs: 1000 }, random)
      expect(delay).toBeGreaterThanOrEqual(term * 0.8)
      expect(delay).toBeLessThanOrEqual(term * 1.2)
    }
  })
})

describe('asPromise', () => {
  it('settles as the callback does', async () => {
    await expect(asPromise((done) => done(null, 1))).resolves.toBe(1)
    await expect(asPromise((done) => done(new Error('no'), null))).rejects.toThrow('no')
  })
})
