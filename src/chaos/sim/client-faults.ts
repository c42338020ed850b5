import type { Inject } from './fault-context.ts'

/** F: clients. */
export const CLIENT_FAULTS = {
  'client-crash': (context, _fault, name) => {
    const machine = context.world.node(name)
    if (!machine.isUp || !context.actors.has(name)) return 'idle'
    machine.crash()
    return () => {
      if (!machine.isUp) context.reviveClient(name)
    }
  },
  'client-pause': ({ world }, _fault, name) => {
    const machine = world.node(name)
    if (!machine.isUp || machine.isPaused) return 'idle'
    machine.pause()
    return () => {
      if (machine.isUp && machine.isPaused) machine.resume()
    }
  },
} satisfies Record<string, Inject>
