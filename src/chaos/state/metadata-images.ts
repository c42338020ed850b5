import type { NodeView } from '../../../broker/index.ts'
import type { MetadataImage } from '../../../broker/metadata/image.ts'
import type { MetadataWatch } from './metadata-watch.ts'
import type { StateCheck } from './state-check.ts'

/**
 * Q12 Metadata monotonic: what a node has applied only grows within a life and is committed.
 * Q6 State machine safety: at the same offset every node's image is the one that the committed records give
 * when they are applied one by one.
 */
export class MetadataImagesCheck implements StateCheck {
  readonly invariants = ['Q6', 'Q12'] as const
  readonly #metadata: MetadataWatch
  readonly #applied = new Map<number, number>()
  readonly #compared = new Map<number, number>()
  #dumpOffset = -1
  #dump = ''

  constructor(metadata: MetadataWatch) {
    this.#metadata = metadata
  }

  onStart(node: NodeView): void {
    this.#applied.set(node.nodeId, node.image.lastOffset)
    this.#compared.delete(node.nodeId)
  }

  afterNode(node: NodeView): void {
    const { nodeId } = node
    const now = node.image.lastOffset
    const before = this.#applied.get(nodeId) ?? -1
    if (now === before) return
    this.#applied.set(nodeId, now)
    const { report, state, committedEnd } = this.#metadata
    if (this.#metadata.isLost || !state.budget.holdsQuorum) return
    report.evaluated('Q12')
    if (now < before) {
      report.violated('Q12', `node ${nodeId} went from metadata offset ${before} back to ${now}`)
    }
    if (now >= committedEnd) {
      report.violated('Q12', `node ${nodeId} applied ${now}, committed is up to ${committedEnd}`)
    }
  }

  atBarrier(): void {
    const { report, state, image } = this.#metadata
    if (this.#metadata.isLost || !state.budget.holdsQuorum || image.isInTransaction) return
    for (const node of state.nodes.values()) {
      const offset = node.image.lastOffset
      if (offset < 0 || offset !== image.lastOffset) continue
      if (this.#compared.get(node.nodeId) === offset) continue
      this.#compared.set(node.nodeId, offset)
      report.evaluated('Q6')
      const own = dumpOf(node.image)
      const expected = this.#expected(image)
      if (own === expected) continue
      report.violated('Q6', `node ${node.nodeId} at offset ${offset}: ${difference(own, expected)}`)
    }
  }

  #expected(image: MetadataImage): string {
    if (this.#dumpOffset !== image.lastOffset) {
      this.#dumpOffset = image.lastOffset
      this.#dump = dumpOf(image)
    }
    return this.#dump
  }
}

/** Equal images, equal text. */
function dumpOf(image: MetadataImage): string {
  const lines: string[] = []
  for (const broker of image.brokers.values()) lines.push(JSON.stringify(broker))
  for (const controller of image.controllers.values()) lines.push(JSON.stringify(controller))
  for (const topic of image.topicsById.values()) {
    const configs = [...image.topicConfig(topic.name)].map(([name, value]) => `${name}=${value}`)
    lines.push(`${topic.name} ${topic.id} ${configs.sort().join()}`)
    for (const state of topic.partitions.values()) lines.push(JSON.stringify(state))
  }
  const features = [...image.features].map(([name, level]) => `${name}=${level}`)
  lines.push(`${features.sort().join()} ${image.nextProducerId}`)
  return lines.sort().join('\n')
}

function difference(own: string, expected: string): string {
  const theirs = new Set(expected.split('\n'))
  const odd = own.split('\n').find((line) => !theirs.has(line))
  return odd === undefined ? 'something is missing' : `${odd} is not what the records say`
}
