import { numberParam, type Inject } from './fault-context.ts'

const USUAL_PERMILLE = 1000

/** D: clocks. */
export const TIME_FAULTS = {
  'clock-skew': ({ world }, fault, name) => {
    const machine = world.node(name)
    const ms = numberParam(fault, 'ms', 0)
    machine.wallOffsetMs += ms
    return () => {
      machine.wallOffsetMs -= ms
    }
  },
  'clock-jump': ({ world }, fault, name) => {
    world.node(name).wallOffsetMs += numberParam(fault, 'ms', 0)
    return null
  },
  'clock-drift': ({ holds, world }, fault, name) => {
    const machine = world.node(name)
    const permille = numberParam(fault, 'permille', USUAL_PERMILLE)
    return holds.value(`rate ${name}`, permille, USUAL_PERMILLE, (value) => {
      machine.clockRatePermille = value
    })
  },
} satisfies Record<string, Inject>
