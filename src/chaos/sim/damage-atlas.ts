import type { SimRandom } from '../../sim/sim-random.ts'
import { newestView } from './resolve-target.ts'
import type { SimCluster } from './sim-cluster.ts'

const LOG_FILE = /^(.+-\d+)\/\d{20}\.log$/
const METADATA_DIRECTORY = '__cluster_metadata-0'

export interface FlipRequest {
  /** `closed`: a segment that takes no more records; `tail`: the newest one. */
  readonly where: string
  readonly topic: string | null
  /** -1: any. */
  readonly partition: number
  /** Damage although no good copy may be left. */
  readonly isOverBudget: boolean
}

interface LogFile {
  readonly path: string
  readonly partition: string
  readonly sizeBytes: number
}

/**
 * Which replicas have been damaged. A partition keeps at least one copy that is in sync, running and whole, so
 * that what was acknowledged can be had again (the fault atlas of the simulator's notes).
 */
export class DamageAtlas {
  readonly #cluster: SimCluster
  readonly #random: SimRandom
  /** Names of the nodes by partition. */
  readonly #damaged = new Map<string, Set<string>>()

  constructor(cluster: SimCluster, random: SimRandom) {
    this.#cluster = cluster
    this.#random = random
  }

  /** Flips one bit of a log of the node; false when there is none that may be damaged. */
  flip(name: string, request: FlipRequest): boolean {
    const candidates = this.#filesOf(name, request).filter(
      ({ partition }) => request.isOverBudget || this.#maySpare(name, partition),
    )
    if (candidates.length === 0) return false
    const file = candidates[this.#random.below(candidates.length)]
    if (file === undefined) return false
    const damaged = this.#damaged.get(file.partition) ?? new Set()
    this.#damaged.set(file.partition, damaged.add(name))
    const byte = this.#random.below(file.sizeBytes)
    this.#cluster.machine(name).disk.flipBit(file.path, byte, this.#random.below(8))
    return true
  }

  /** All damage was repaired. */
  clear(): void {
    this.#damaged.clear()
  }

  #filesOf(name: string, request: FlipRequest): readonly LogFile[] {
    const { disk } = this.#cluster.machine(name)
    const newest = new Map<string, string>()
    const files: LogFile[] = []
    for (const [path, { size }] of disk.tree.files()) {
      const partition = LOG_FILE.exec(path)?.[1]
      if (partition === undefined || !isWanted(partition, request)) continue
      newest.set(partition, path)
      files.push({ path, partition, sizeBytes: size })
    }
    return files.filter(({ path, partition, sizeBytes }) => {
      if (sizeBytes === 0) return false
      if (request.where === 'any') return true
      return (newest.get(partition) === path) === (request.where === 'tail')
    })
  }

  #maySpare(name: string, partition: string): boolean {
    const dash = partition.lastIndexOf('-')
    const view = newestView(this.#cluster)
    const state = view?.image.partition(partition.slice(0, dash), Number(partition.slice(dash + 1)))
    const damaged = this.#damaged.get(partition)
    return (state?.isr ?? []).some((id) => {
      const other = this.#cluster.nodes.find(({ nodeId }) => nodeId === id)
      if (other === undefined || other.name === name) return false
      return this.#cluster.isRunning(other.name) && damaged?.has(other.name) !== true
    })
  }
}

function isWanted(partition: string, { topic, partition: index }: FlipRequest): boolean {
  if (partition === METADATA_DIRECTORY) return topic === '__cluster_metadata'
  if (topic !== null && partition.slice(0, partition.lastIndexOf('-')) !== topic) return false
  return index === -1 || partition.endsWith(`-${index}`)
}
