import { describe, expect, it } from 'vitest'
import { PeriodicTask } from '../../../../broker/controller/periodic-task.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'

describe('PeriodicTask', () => {
  it('runs every interval, and soon again while there is more to do', () => {
    const world = new SimWorld({ seed: 1 })
    const { clock } = world.node('n').ports
    const ranAt: number[] = []
    const run = (): boolean => {
      ranAt.push(clock.monoMs())
      return ranAt.length === 2
    }
    const task = new PeriodicTask({ clock, tag: 't', intervalMs: 1000, run })
    world.runFor(3100)
    expect(ranAt).toEqual([1000, 2000, 2010, 3010])
    task.stop()
    world.runFor(5000)
    expect(ranAt).toHaveLength(4)
  })

  it('can be stopped from within a run', () => {
    const world = new SimWorld({ seed: 1 })
    let runs = 0
    const task: PeriodicTask = new PeriodicTask({
      clock: world.node('n').ports.clock,
      tag: 't',
      intervalMs: 10,
      run: () => {
        runs += 1
        task.stop()
        return true
      },
    })
    world.runFor(1000)
    expect(runs).toBe(1)
  })
})
