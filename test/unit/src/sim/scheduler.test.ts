import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Scheduler } from '../../../../src/sim/scheduler.ts'

describe('the scheduler', () => {
  it('runs events by time, then in the order they were scheduled, without the cancelled', () => {
    const event = fc.record({ delayUs: fc.nat(20), isCancelled: fc.boolean() })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const scheduler = new Scheduler()
        const ran: number[] = []
        const handles = events.map(({ delayUs }, index) =>
          scheduler.after(delayUs, 'event', () => ran.push(index)),
        )
        events.forEach(({ isCancelled }, index) => {
          if (isCancelled) scheduler.cancel(handles[index]!)
        })
        const expected = events
          .map(({ delayUs, isCancelled }, index) => ({ delayUs, isCancelled, index }))
          .filter(({ isCancelled }) => !isCancelled)
          .sort((a, b) => a.delayUs - b.delayUs || a.index - b.index)
          .map(({ index }) => index)
        expect(scheduler.pending).toBe(expected.length)
        scheduler.runUntilUs(20)
        expect(ran).toEqual(expected)
        expect(scheduler.pending).toBe(0)
      }),
    )
  })

  it('runs events that events schedule, at their own time', () => {
    const scheduler = new Scheduler()
    const ran: [string, number][] = []
    scheduler.after(10, 'one', () => {
      ran.push(['one', scheduler.nowUs])
      scheduler.after(0, 'two', () => ran.push(['two', scheduler.nowUs]))
      scheduler.after(5.4, 'three', () => ran.push(['three', scheduler.nowUs]))
    })
    scheduler.after(12, 'between', () => ran.push(['between', scheduler.nowUs]))
    scheduler.runUntilUs(100)
    expect(ran).toEqual([
      ['one', 10],
      ['two', 10],
      ['between', 12],
      ['three', 16],
    ])
    expect(scheduler.nowUs).toBe(100)
    expect(scheduler.eventsRun).toBe(4)
  })

  it('stays in order while many timers are set and cancelled', () => {
    const scheduler = new Scheduler()
    const times: number[] = []
    for (let index = 0; index < 5000; index += 1) {
      const isKept = index % 5 === 0
      const delayUs = (index * 7919) % 10_007
      const event = scheduler.after(delayUs, 'event', () => times.push(scheduler.nowUs))
      if (!isKept) scheduler.cancel(event)
    }
    scheduler.runUntilUs(10_007)
    expect(times).toHaveLength(1000)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  })

  it('takes ten thousand events at one instant for a livelock', () => {
    const scheduler = new Scheduler()
    const again = (): void => void scheduler.after(0, 'again', again)
    again()
    expect(() => scheduler.runUntilUs(1)).toThrow('livelock: over 50000 events at 0 us, again')
  })

  it('allows any number of events at different instants', () => {
    const scheduler = new Scheduler()
    let runs = 0
    const again = (): void => {
      runs += 1
      scheduler.after(1, 'again', again)
    }
    again()
    scheduler.runUntilUs(20_000)
    expect(runs).toBe(20_001)
  })

  it('stops before the limit of a step, and refuses the past', () => {
    const scheduler = new Scheduler()
    scheduler.after(10, 'event', () => {})
    expect(scheduler.step(9)).toBe(false)
    expect(scheduler.nextAtUs()).toBe(10)
    expect(scheduler.step(10)).toBe(true)
    expect(scheduler.step()).toBe(false)
    expect(() => scheduler.after(-1, 'past', () => {})).toThrow('past: a delay of -1 us')
    expect(() => scheduler.after(NaN, 'nan', () => {})).toThrow('nan')
    expect(() => scheduler.runUntilUs(9)).toThrow('run until 9 us')
  })
})

describe('a deadline that lies between two microseconds', () => {
  it('has passed when its timer runs', () => {
    const scheduler = new Scheduler()
    scheduler.after(124_322, 'begin', () => undefined)
    scheduler.step()
    const deadlineMs = scheduler.nowMs + 1500 + 1e-9
    let wakeUps = 0
    const wait = (): void => {
      wakeUps += 1
      const restMs = deadlineMs - scheduler.nowMs
      if (restMs > 0) scheduler.after(restMs * 1000, 'rest', wait)
    }
    wait()
    while (scheduler.step());
    expect(scheduler.nowMs).toBeGreaterThanOrEqual(deadlineMs)
    expect(wakeUps).toBeLessThanOrEqual(3)
  })
})
