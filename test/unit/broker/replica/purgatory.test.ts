import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CompletionReason, DelayedOperation } from '../../../../broker/replica/purgatory.ts'
import { Purgatory } from '../../../../broker/replica/purgatory.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'

class Probe implements DelayedOperation {
  ready = false
  readonly reasons: CompletionReason[] = []
  onComplete: () => void = () => {}

  isReady(): boolean {
    return this.ready
  }

  complete(reason: CompletionReason): void {
    this.reasons.push(reason)
    this.onComplete()
  }
}

function setUp(limit = 100): { world: SimWorld; purgatory: Purgatory } {
  const world = new SimWorld({ seed: 1 })
  const { clock } = world.node('a').ports
  return { world, purgatory: new Purgatory({ clock, name: 'test.wait', limit }) }
}

describe('Purgatory', () => {
  it('completes at once what is ready at once', () => {
    const { purgatory } = setUp()
    const probe = new Probe()
    probe.ready = true
    purgatory.watch(probe, ['k'], 100)
    expect(probe.reasons).toEqual(['ready'])
    expect(purgatory.size).toBe(0)
  })

  it('looks again only when one of its keys changes', () => {
    const { purgatory } = setUp()
    const probe = new Probe()
    purgatory.watch(probe, ['k', 'l'], 100)
    probe.ready = true
    purgatory.check('m')
    expect(probe.reasons).toEqual([])
    purgatory.check('l')
    expect(probe.reasons).toEqual(['ready'])
    purgatory.check('k')
    expect(probe.reasons).toEqual(['ready'])
  })

  it('expires at the deadline, once', () => {
    const { world, purgatory } = setUp()
    const probe = new Probe()
    purgatory.watch(probe, ['k'], 100)
    world.runFor(99)
    expect(probe.reasons).toEqual([])
    world.runFor(2)
    expect(probe.reasons).toEqual(['expired'])
    probe.ready = true
    purgatory.check('k')
    world.runFor(1000)
    expect(probe.reasons).toEqual(['expired'])
    expect(purgatory.size).toBe(0)
  })

  it('waits without a deadline when none is given', () => {
    const { world, purgatory } = setUp()
    const probe = new Probe()
    purgatory.watch(probe, ['k'], Infinity)
    world.runFor(1_000_000)
    expect(purgatory.size).toBe(1)
  })

  it('refuses to hold more than its limit', () => {
    const { purgatory } = setUp(1)
    const first = new Probe()
    const second = new Probe()
    purgatory.watch(first, ['k'], 100)
    purgatory.watch(second, ['k'], 100)
    expect(first.reasons).toEqual([])
    expect(second.reasons).toEqual(['expired'])
    expect(purgatory.size).toBe(1)
  })

  it('ends all when it closes, and all that come later at once', () => {
    const { purgatory } = setUp()
    const first = new Probe()
    const second = new Probe()
    purgatory.watch(first, ['k', 'l'], 100)
    purgatory.close()
    purgatory.watch(second, ['k'], 100)
    expect(first.reasons).toEqual(['closed'])
    expect(second.reasons).toEqual(['closed'])
  })

  it('does not nest: a change made by a completion is looked at after it', () => {
    const { purgatory } = setUp()
    const order: string[] = []
    const first = new Probe()
    const second = new Probe()
    first.onComplete = () => {
      second.ready = true
      purgatory.check('l')
      order.push('first')
    }
    second.onComplete = () => order.push('second')
    purgatory.watch(first, ['k'], 100)
    purgatory.watch(second, ['l'], 100)
    first.ready = true
    purgatory.check('k')
    expect(order).toEqual(['first', 'second'])
  })

  it('completes every operation exactly once whatever happens in whatever order', () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('watch' as const),
        keys: fc.uniqueArray(fc.nat(3)),
        ms: fc.nat(50),
      }),
      fc.record({ kind: fc.constant('ready' as const), which: fc.nat(20) }),
      fc.record({ kind: fc.constant('check' as const), key: fc.nat(3) }),
      fc.record({ kind: fc.constant('run' as const), ms: fc.nat(30) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { world, purgatory } = setUp(10)
        const probes: Probe[] = []
        for (const each of steps) {
          if (each.kind === 'watch') {
            const probe = new Probe()
            probes.push(probe)
            purgatory.watch(probe, each.keys.map(String), each.ms)
          } else if (each.kind === 'ready') {
            const probe = probes[each.which]
            if (probe !== undefined) probe.ready = true
          } else if (each.kind === 'check') {
            purgatory.check(String(each.key))
          } else {
            world.runFor(each.ms)
          }
        }
        const waiting = probes.filter((probe) => probe.reasons.length === 0)
        expect(purgatory.size).toBe(waiting.length)
        world.runFor(100)
        expect(probes.every((probe) => probe.reasons.length === 1)).toBe(true)
        expect(purgatory.size).toBe(0)
      }),
    )
  })
})
