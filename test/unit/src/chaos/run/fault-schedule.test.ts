import { describe, expect, it } from 'vitest'
import type { Fault } from '../../../../../src/chaos/plan/fault.ts'
import { FaultSchedule } from '../../../../../src/chaos/run/fault-schedule.ts'
import { Scheduler } from '../../../../../src/sim/scheduler.ts'

const row = (atMs: number, more: Partial<Fault> = {}): Fault => ({
  atMs,
  kind: 'crash',
  target: 'b1',
  ...more,
})

function schedule(): {
  readonly scheduler: Scheduler
  readonly faults: FaultSchedule
  readonly fired: (readonly [atMs: number, fault: Fault, isInStep: boolean])[]
} {
  const scheduler = new Scheduler()
  const fired: (readonly [number, Fault, boolean])[] = []
  const faults = new FaultSchedule({
    after: (delayMs, fn) => {
      scheduler.after(delayMs * 1000, 'test', fn)
    },
    fire: (fault, isInStep) => fired.push([scheduler.nowMs, fault, isInStep]),
  })
  return { scheduler, faults, fired }
}

describe('a schedule of faults', () => {
  it('fires each at its time, counted from the begin', () => {
    const { scheduler, faults, fired } = schedule()
    scheduler.runUntilUs(5000)
    const rows = [row(1), row(1), row(7)]
    faults.begin(rows)
    scheduler.runUntilUs(1_000_000)
    expect(fired.map(([atMs]) => atMs)).toEqual([6, 6, 12])
    expect(fired.map(([, fault]) => fault)).toEqual(rows)
  })

  it('fires at the n-th hit of a probe after its time, once', () => {
    const { scheduler, faults, fired } = schedule()
    const waiting = row(3, { atProbe: { name: 'p', hit: 2 } })
    faults.begin([waiting])
    faults.onProbe('p')
    faults.onProbe('p')
    scheduler.runUntilUs(4000)
    faults.onProbe('other')
    faults.onProbe('p')
    expect(fired).toEqual([])
    faults.onProbe('p')
    faults.onProbe('p')
    expect(fired).toEqual([[4, waiting, true]])
  })

  it('fires nothing after its end', () => {
    const { scheduler, faults, fired } = schedule()
    faults.begin([row(3), row(1, { atProbe: { name: 'p', hit: 1 } })])
    scheduler.runUntilUs(2000)
    faults.end()
    faults.onProbe('p')
    scheduler.runUntilUs(9000)
    expect(fired).toEqual([])
  })
})
