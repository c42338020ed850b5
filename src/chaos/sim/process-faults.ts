import type { CrashOptions } from '../../sim/sim-node.ts'
import type { Fault } from '../plan/fault.ts'
import {
  numberParam,
  textParam,
  type FaultContext,
  type Inject,
  type Injected,
} from './fault-context.ts'

const POWER_LOSS = { losesUnsynced: true, isSilent: true } as const
/** After a cut of all power the nodes come back within this, in seeded order. */
const RESTART_SPREAD_MS = 1000

/** A: processes and whole machines. */
export const PROCESS_FAULTS = {
  crash: (context, fault, name) =>
    down(context, fault, name, { isSilent: fault.params?.['isSilent'] === true }),
  'power-cut': (context, fault, name) =>
    down(context, fault, name, { ...POWER_LOSS, ...tearOf(fault) }),
  'power-cut-all': (context, fault) =>
    cutAllPower(context, numberParam(fault, 'spreadMs', RESTART_SPREAD_MS)),
  pause: (context, _fault, name) => pause(context, name),
  shutdown: (context, _fault, name) => shutdown(context, name),
  'slow-node': ({ holds, world }, fault, name) => {
    const machine = world.node(name)
    const factor = numberParam(fault, 'factor', 50)
    return holds.value(`cost ${name}`, factor, 1, (value) => {
      machine.costFactor = value
    })
  },
  'wipe-disk': ({ cluster }, _fault, name) => {
    if (!cluster.crash(name)) return 'idle'
    cluster.wipe(name)
    return () => cluster.restart(name)
  },
  'stale-disk': ({ cluster, backups }, fault, name) => {
    const backup = backups.get(fault)?.get(name)
    if (backup === undefined || !cluster.crash(name)) return 'idle'
    cluster.machine(name).restoreBackup(backup)
    cluster.noteLostDisk(name)
    return () => cluster.restart(name)
  },
} satisfies Record<string, Inject>

function down(context: FaultContext, fault: Fault, name: string, options: CrashOptions): Injected {
  const { cluster } = context
  const count = numberParam(fault, 'afterOperations', 0)
  if (count > 0) return downAfter(context, count, name, options)
  return cluster.crash(name, options) ? () => cluster.restart(name) : 'idle'
}

/** In the middle of whatever the node does then: right after so many more operations that change its disk. */
function downAfter(
  { cluster, world }: FaultContext,
  count: number,
  name: string,
  options: CrashOptions,
): Injected {
  const { disk, isUp } = world.node(name)
  if (!isUp) return 'idle'
  let isOver = false
  disk.crashAfterOperation(disk.operationsRun + count, () => {
    if (!isOver) cluster.crash(name, options)
  })
  return () => {
    isOver = true
    cluster.restart(name)
  }
}

function tearOf(fault: Fault): Pick<CrashOptions, 'tear'> {
  const tear = textParam(fault, 'tear')
  return tear === 'ordered' || tear === 'any' ? { tear } : {}
}

function cutAllPower({ cluster, world, random }: FaultContext, spreadMs: number): Injected {
  const names = cluster.nodes.map(({ name }) => name)
  const hit = names.filter((name) => cluster.crash(name, POWER_LOSS))
  if (hit.length === 0) return 'idle'
  const restarts = hit.map((name) => ({ name, afterMs: random.below(Math.max(1, spreadMs)) }))
  return () => {
    for (const { name, afterMs } of restarts) {
      world.scheduler.after(afterMs * 1000, 'fault.power-back', () => cluster.restart(name))
    }
  }
}

function pause({ world }: FaultContext, name: string): Injected {
  const machine = world.node(name)
  if (!machine.isUp || machine.isPaused) return 'idle'
  machine.pause()
  return () => {
    if (machine.isUp && machine.isPaused) machine.resume()
  }
}

/** Started again when both have happened: it is down, and its time is over. */
function shutdown({ cluster }: FaultContext, name: string): Injected {
  let isDown = false
  let isOver = false
  const isBegun = cluster.shutdown(name, () => {
    isDown = true
    if (isOver) cluster.restart(name)
  })
  if (!isBegun) return 'idle'
  return () => {
    isOver = true
    if (isDown) cluster.restart(name)
  }
}
