import { assert } from '../../src/base/assert.ts'
import type { LeaderEpoch, Offset } from '../../src/base/ids.ts'
import type { MetadataRecord } from '../../src/wire/records/metadata.ts'
import { DeltaBuilder, type MetadataDelta } from './delta.ts'
import { MetadataImage } from './image.ts'

/** A committed batch of the metadata log; without records when it is a control batch of the quorum. */
export interface PublishedBatch {
  readonly baseOffset: Offset
  readonly lastOffset: Offset
  readonly epoch: LeaderEpoch
  readonly records: readonly MetadataRecord[]
}

export type MetadataListener = (delta: MetadataDelta, image: MetadataImage) => void

/** Applies committed batches to the node's image and tells the listeners what changed, in order of subscription. */
export class MetadataPublisher {
  /** The committed state. Only this class changes it; whoever wants to keep one takes a `clone()`. */
  readonly image = new MetadataImage()
  readonly #listeners: MetadataListener[] = []
  #isPublishing = false

  subscribe(listener: MetadataListener): void {
    this.#listeners.push(listener)
  }

  /** Batches must follow each other; what a listener throws goes to the caller. */
  publish(batch: PublishedBatch): void {
    assert(!this.#isPublishing, 'a listener of the metadata must not publish')
    assert(
      batch.baseOffset > this.image.lastOffset,
      `batch at ${batch.baseOffset} was published before (image is at ${this.image.lastOffset})`,
    )
    const changes = new DeltaBuilder()
    batch.records.forEach((record, index) => {
      this.image.apply(record, batch.baseOffset + index, batch.epoch, changes)
    })
    this.image.lastOffset = batch.lastOffset
    this.image.lastEpoch = batch.epoch
    this.#tell(changes.build(batch.baseOffset, batch.lastOffset))
  }

  #tell(delta: MetadataDelta): void {
    this.#isPublishing = true
    try {
      for (const listener of this.#listeners) listener(delta, this.image)
    } finally {
      this.#isPublishing = false
    }
  }
}
