import { ConfigError, type DiskErrorCode } from '../src/base/errors.ts'
import { isUuid, randomUuid, type Uuid } from '../src/base/uuid.ts'
import type { Disk } from '../src/ports/disk.ts'
import type { Random } from '../src/ports/random.ts'

/** Who the data in a log directory belongs to (`meta.properties`, version 1). */
export interface NodeIdentity {
  readonly clusterId: string
  readonly nodeId: number
  readonly directoryId: Uuid
}

/** Kafka's name of the file with the identity. */
export const META_FILE = 'meta.properties'
const CLEAN_SHUTDOWN_FILE = '.kafka_cleanshutdown'
const MAX_META_BYTES = 65_536

/**
 * The identity in the log directory, written there on first use. Throws `ConfigError` when the directory
 * belongs to another node or another cluster: a swapped disk must not be served.
 */
export function claimDirectory(
  disk: Disk,
  random: Random,
  wanted: { readonly clusterId: string; readonly nodeId: number },
): NodeIdentity {
  const stored = readMeta(disk)
  if (stored === null) {
    const identity = { ...wanted, directoryId: randomUuid((count) => random.bytes(count)) }
    writeMeta(disk, identity)
    return identity
  }
  const clusterId = stored.get('cluster.id') ?? ''
  const nodeId = stored.get('node.id') ?? ''
  if (clusterId !== wanted.clusterId) {
    throw new ConfigError(
      `the data directory belongs to cluster ${clusterId}, this node is of cluster ${wanted.clusterId}`,
    )
  }
  if (nodeId !== String(wanted.nodeId)) {
    throw new ConfigError(
      `the data directory belongs to node ${nodeId}, this node's node.id is ${wanted.nodeId}`,
    )
  }
  const directoryId = stored.get('directory.id') ?? ''
  if (!isUuid(directoryId)) {
    throw new ConfigError(`${META_FILE}: directory.id "${directoryId}" is not an id`)
  }
  return { ...wanted, directoryId }
}

/** Makes the claim durable; a node joins nothing before. `error` says what the disk refused. */
export function syncClaim(disk: Disk, done: (error: DiskErrorCode | null) => void): void {
  const file = disk.open(META_FILE)
  file.fsync((error) => {
    file.close()
    if (error === null) disk.syncDirectory('', done)
    else done(error)
  })
}

/**
 * The broker epoch of the last run when it ended in order, -1 when that is not known; null after a crash. The
 * mark is taken away, so that a crash of this run is told from an orderly end.
 */
export function takeCleanShutdownMark(disk: Disk): number | null {
  if (!disk.exists(CLEAN_SHUTDOWN_FILE)) return null
  const file = disk.open(CLEAN_SHUTDOWN_FILE)
  const text = file.read(0, Math.min(file.size(), MAX_META_BYTES)).toString('utf8')
  file.close()
  disk.remove(CLEAN_SHUTDOWN_FILE)
  const [, epoch] = /"brokerEpoch":\s*(-?\d+)/.exec(text) ?? []
  return epoch === undefined ? -1 : Number(epoch)
}

/** Says that all logs are flushed and closed (KIP-966 reads the broker epoch in it). */
export function leaveCleanShutdownMark(disk: Disk, brokerEpoch: number): void {
  const file = disk.open(CLEAN_SHUTDOWN_FILE)
  file.truncate(0)
  file.append([Buffer.from(JSON.stringify({ version: 0, brokerEpoch }))])
  file.close()
}

/** Gives the directory to a node, over whatever it belonged to before. */
export function writeMeta(disk: Disk, { clusterId, nodeId, directoryId }: NodeIdentity): void {
  const temporary = `${META_FILE}.tmp`
  disk.remove(temporary)
  const file = disk.open(temporary)
  const lines = [
    '#',
    'version=1',
    `cluster.id=${clusterId}`,
    `node.id=${nodeId}`,
    `directory.id=${directoryId}`,
  ]
  file.append([Buffer.from(`${lines.join('\n')}\n`)])
  file.close()
  disk.rename(temporary, META_FILE)
}

/** What meta.properties says, by Kafka's names; null when there is none, or only the empty trace of one. */
export function readMeta(disk: Disk): ReadonlyMap<string, string> | null {
  const stored = disk.exists(META_FILE) ? readProperties(disk, META_FILE) : null
  // An empty file is a claim that a power cut took back; nothing was stored under it yet.
  return stored === null || stored.size === 0 ? null : stored
}

function readProperties(disk: Disk, path: string): Map<string, string> {
  const file = disk.open(path)
  const text = file.read(0, Math.min(file.size(), MAX_META_BYTES)).toString('utf8')
  file.close()
  const properties = new Map<string, string>()
  for (const line of text.split('\n')) {
    const at = line.indexOf('=')
    if (at > 0 && !line.startsWith('#'))
      properties.set(line.slice(0, at).trim(), line.slice(at + 1).trim())
  }
  return properties
}
