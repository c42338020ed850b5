import type { MetadataImage } from '../../../broker/metadata/image.ts'
import type { MetadataRecord } from '../../wire/records/metadata.ts'
import type { MetadataObserver, MetadataWatch } from './metadata-watch.ts'
import type { StateCheck } from './state-check.ts'

/**
 * Q14 Broker epochs: at most one live epoch per broker id. In the committed metadata a new incarnation is
 * registered only when the one before is fenced, with a larger epoch; the same incarnation keeps its epoch.
 * No two nodes that run hold the same epoch, and none holds one that is newer than its registration.
 */
export class BrokerEpochsCheck implements StateCheck, MetadataObserver {
  readonly invariants = ['Q14'] as const
  readonly #metadata: MetadataWatch

  constructor(metadata: MetadataWatch) {
    this.#metadata = metadata
    metadata.observe(this)
  }

  onRecord(record: MetadataRecord, offset: number, image: MetadataImage): void {
    if (record.type !== 'RegisterBrokerRecord') return
    const { brokerId, brokerEpoch, incarnationId } = record.data
    const existing = image.brokers.get(brokerId)
    if (existing === undefined) return
    const { report } = this.#metadata
    const where = `broker ${brokerId}, registered at ${offset} with epoch ${brokerEpoch}`
    report.evaluated('Q14')
    if (existing.incarnationId === incarnationId) {
      if (existing.epoch !== brokerEpoch) {
        report.violated('Q14', `${where}: the same incarnation had epoch ${existing.epoch}`)
      }
      return
    }
    if (brokerEpoch <= existing.epoch) {
      report.violated('Q14', `${where}: the incarnation before had ${existing.epoch}`)
    }
    if (!existing.isFenced) {
      report.violated('Q14', `${where}: the incarnation of epoch ${existing.epoch} is not fenced`)
    }
  }

  atBarrier(): void {
    const { report, state } = this.#metadata
    if (this.#metadata.isLost || !state.budget.holdsQuorum) return
    const owners = new Map<number, number>()
    for (const { nodeId, brokerEpoch } of state.nodes.values()) {
      if (brokerEpoch === -1) continue
      report.evaluated('Q14')
      const other = owners.get(brokerEpoch)
      if (other !== undefined) {
        report.violated('Q14', `nodes ${other} and ${nodeId} both hold broker epoch ${brokerEpoch}`)
      }
      owners.set(brokerEpoch, nodeId)
    }
  }
}
