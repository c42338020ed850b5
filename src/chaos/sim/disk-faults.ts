import type { DiskOperation } from '../../sim/sim-disk.ts'
import type { Fault } from '../plan/fault.ts'
import {
  numberParam,
  textParam,
  type FaultContext,
  type Inject,
  type Injected,
} from './fault-context.ts'

const STALL_MS = 300
const FREE_BYTES = 1024
const INDEX_FILE = /\.(index|timeindex|txnindex|snapshot)$|\/leader-epoch-checkpoint$/
const METADATA_DIRECTORY = '__cluster_metadata-0'

/** B: disks. */
export const DISK_FAULTS = {
  'bit-flip': (context, fault, name) =>
    context.atlas.flip(name, {
      where: textParam(fault, 'where') ?? 'any',
      topic: textParam(fault, 'topic'),
      partition: numberParam(fault, 'partition', -1),
      isOverBudget: fault.params?.['isOverBudget'] === true,
    })
      ? null
      : 'idle',
  'lose-write': ({ world }, _fault, name) => {
    const { isUp, disk } = world.node(name)
    if (!isUp) return 'idle'
    disk.loseNextAppend()
    return null
  },
  'misdirect-write': ({ world }, _fault, name) => {
    const { isUp, disk } = world.node(name)
    if (!isUp) return 'idle'
    disk.misdirectNextAppend()
    return null
  },
  'read-error': (context, _fault, name) => failNext(context, name, 'read'),
  'write-error': (context, _fault, name) => failNext(context, name, 'append'),
  'fsync-error': (context, _fault, name) => failNext(context, name, 'fsync'),
  'lying-fsync': ({ holds, world }, _fault, name) => {
    const { disk } = world.node(name)
    return holds.value(`lying ${name}`, 1, 0, (value) => {
      disk.isLying = value === 1
    })
  },
  'disk-full': ({ holds, world }, fault, name) => {
    const { disk } = world.node(name)
    const capacityBytes = disk.usedBytes() + numberParam(fault, 'freeBytes', FREE_BYTES)
    return holds.value(`capacity ${name}`, capacityBytes, Infinity, (value) => {
      disk.capacityBytes = value
    })
  },
  'slow-disk': ({ holds, world }, fault, name) => {
    const { disk } = world.node(name)
    const stallMs = numberParam(fault, 'stallMs', STALL_MS)
    return holds.value(`stall ${name}`, stallMs, 0, (value) => {
      disk.extraFsyncUs = value * 1000
    })
  },
  'log-dir-failure': ({ cluster, world, holds }, fault, name) => {
    const folder = cluster.logFolder(name, numberParam(fault, 'index', 2))
    if (folder === null || !cluster.isRunning(name)) return 'idle'
    const { disk } = world.node(name)
    return holds.value(`failed ${folder} of ${name}`, 1, 0, (value) => {
      if (value === 1) disk.failFolder(folder)
      else disk.mendFolder(folder)
    })
  },
  'corrupt-index': (context, fault, name) => corruptIndex(context, fault, name),
} satisfies Record<string, Inject>

function failNext({ world }: FaultContext, name: string, operation: DiskOperation): Injected {
  const { isUp, disk } = world.node(name)
  if (!isUp) return 'idle'
  disk.failNext(operation, 'EIO')
  return null
}

/** While the node is down, the files that can be made again from the log of one partition are lost or garbage. */
function corruptIndex(context: FaultContext, fault: Fault, name: string): Injected {
  const { cluster, world, random } = context
  const { disk } = world.node(name)
  const topic = textParam(fault, 'topic')
  const directories = [
    ...new Set(disk.paths().map((path) => path.slice(0, path.lastIndexOf('/')))),
  ].filter(
    (directory) =>
      directory.includes('-') &&
      directory !== METADATA_DIRECTORY &&
      (topic === null || directory.startsWith(`${topic}-`)),
  )
  if (directories.length === 0 || !cluster.crash(name)) return 'idle'
  const directory = directories[random.below(directories.length)] ?? ''
  const how = textParam(fault, 'how')
  const lost: string[] = []
  for (const [path, file] of disk.tree.files()) {
    if (!path.startsWith(`${directory}/`) || !INDEX_FILE.test(path)) continue
    const isDeleted = how === null ? random.chance(500) : how === 'delete'
    if (isDeleted) {
      lost.push(path)
      continue
    }
    const { size } = file
    file.truncate(0)
    file.append([random.bytes(size)])
  }
  for (const path of lost) disk.tree.remove(path)
  return () => cluster.restart(name)
}
