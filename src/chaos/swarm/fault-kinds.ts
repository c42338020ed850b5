import type { FaultKind, FaultParams } from '../plan/fault.ts'
import type { Draw } from './draw.ts'
import { aBroker, aClient, anyNode, type FaultField } from './fault-target.ts'
import { MAIN_TOPIC, RECREATED_TOPIC } from './topics-of-seed.ts'

/** What is drawn for one fault besides its times. */
export interface DrawnFault {
  readonly target: string
  readonly params?: FaultParams
}

export interface FaultKindRule {
  /** It is undone at `untilMs`; else it happens at one moment. */
  readonly lasts: boolean
  draw(draw: Draw, field: FaultField): DrawnFault
}

const at = (lasts: boolean, draw: FaultKindRule['draw']): FaultKindRule => ({ lasts, draw })
const node = (draw: Draw, field: FaultField): DrawnFault => ({ target: anyNode(draw, field) })
const broker = (draw: Draw, field: FaultField): DrawnFault => ({ target: aBroker(draw, field) })
const client = (draw: Draw, field: FaultField): DrawnFault => ({ target: aClient(draw, field) })

/** On whom each kind of fault falls, and how hard; a new kind needs a line here to be drawn at all. */
export const FAULT_KIND_RULES: Readonly<Record<FaultKind, FaultKindRule>> = {
  crash: at(true, node),
  'power-cut': at(true, node),
  'power-cut-all': at(true, () => ({ target: 'all' })),
  pause: at(true, node),
  shutdown: at(true, node),
  'slow-node': at(true, (draw, field) => ({
    target: anyNode(draw, field),
    params: { factor: draw.pick('factor', [5, 50, 400]) },
  })),
  'wipe-disk': at(true, broker),
  'stale-disk': at(true, (draw, field) => ({
    target: aBroker(draw, field),
    params: { ageMs: draw.pick('age', [100, 1500, 8000]) },
  })),
  'bit-flip': at(false, (draw, field) => ({
    target: aBroker(draw, field),
    params: { where: draw.pick('where', ['closed', 'tail', 'any']) },
  })),
  'lose-write': at(false, broker),
  'misdirect-write': at(false, broker),
  'read-error': at(false, node),
  'write-error': at(false, node),
  'fsync-error': at(false, node),
  'lying-fsync': at(true, broker),
  'disk-full': at(true, node),
  'slow-disk': at(true, (draw, field) => ({
    target: anyNode(draw, field),
    params: { stallMs: draw.pick('stall', [30, 300, 3000]) },
  })),
  'log-dir-failure': at(true, broker),
  'corrupt-index': at(true, broker),
  latency: at(true, (draw, field) => ({
    target: anyNode(draw, field),
    params: { factor: draw.pick('factor', [5, 50, 500]) },
  })),
  cut: at(true, drawCut),
  reset: at(false, node),
  'lose-responses': at(false, node),
  hold: at(true, node),
  clog: at(true, (draw, { cluster }) => ({
    target: 'all',
    params: { count: draw.between('count', 1, Math.max(1, cluster.brokers - 1)) },
  })),
  'clock-skew': at(true, (draw, field) => ({
    target: anyNode(draw, field),
    params: { ms: draw.pick('ms', [-600_000, -5000, 5000, 600_000]) },
  })),
  'clock-jump': at(false, (draw, field) => ({
    target: anyNode(draw, field),
    params: { ms: draw.pick('ms', [-60_000, -1000, 1000, 60_000]) },
  })),
  'clock-drift': at(true, (draw, field) => ({
    target: anyNode(draw, field),
    params: { permille: draw.pick('permille', [900, 980, 1020, 1100]) },
  })),
  'elect-preferred': at(false, () => ({ target: 'controller' })),
  'create-partitions': at(false, (draw, { topics }) => {
    const partitions = topics[0]?.partitions ?? 1
    const count = partitions + draw.between('more', 1, 2)
    return { target: 'controller', params: { topic: MAIN_TOPIC, count } }
  }),
  'recreate-topic': at(false, () => ({
    target: 'controller',
    params: { topic: RECREATED_TOPIC },
  })),
  'alter-topic': at(false, drawAlterTopic),
  'client-crash': at(true, client),
  'client-pause': at(true, client),
}

/** The catalogue's shapes: whole, one-way, from the brokers only, from the controllers only. */
function drawCut(draw: Draw, field: FaultField): DrawnFault {
  const target = anyNode(draw, field)
  const direction = draw.pick('direction', ['both', 'in', 'out'])
  const peers = draw.weighted('peers', [
    ['all', 40],
    ['brokers', 25],
    ['controllers', 20],
    ['clients', 15],
  ])
  return { target, params: peers === 'all' ? { direction } : { direction, peers } }
}

/** Only changes that leave every promise that was made before as it is: min.isr is raised, never lowered. */
function drawAlterTopic(draw: Draw, { topics }: FaultField): DrawnFault {
  const replicas = topics[0]?.replicationFactor ?? 1
  const [name, value] = draw.pick('setting', [
    ['min.insync.replicas', replicas],
    ['internal.segment.bytes', 65_536],
    ['max.message.bytes', 1_048_588],
  ] as const)
  return { target: 'controller', params: { topic: MAIN_TOPIC, name, value: String(value) } }
}
