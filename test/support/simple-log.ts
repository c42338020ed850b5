// Temporary stand-in for PartitionLog.
import type { Disk, DiskFile } from '../../src/ports/disk.ts'
import { forEachBatch, isBatchCrcValid, patchBatch, readBatchHeader } from '../../src/wire/record-batch.ts'

interface Entry { base: number; last: number; epoch: number; position: number; size: number }
export class SimpleLog {
  file: DiskFile
  entries: Entry[] = []
  logStartOffset = 0
  highWatermark = 0
  constructor(disk: Disk) {
    this.file = disk.open('meta.log')
    const bytes = this.file.read(0, this.file.size())
    let valid = 0
    try {
      forEachBatch(bytes, (h, p) => {
        if (p !== valid || !isBatchCrcValid(bytes, p)) throw new Error('bad')
        this.entries.push({ base: h.baseOffset, last: h.lastOffset, epoch: h.partitionLeaderEpoch, position: p, size: h.sizeBytes })
        valid = p + h.sizeBytes
      })
    } catch {}
    this.file.truncate(valid)
  }
  get logEndOffset() { return (this.entries.at(-1)?.last ?? -1) + 1 }
  get latestEpoch() { return this.entries.at(-1)?.epoch ?? -1 }
  appendAsLeader(batch: Buffer, o: { leaderEpoch: number }) {
    const base = this.logEndOffset
    patchBatch(batch, 0, base, o.leaderEpoch)
    this.push(batch)
    return { error: 0, baseOffset: base, lastOffset: this.logEndOffset - 1 }
  }
  push(batch: Buffer) {
    const h = readBatchHeader(batch, 0)
    const position = this.file.append([batch])
    this.entries.push({ base: h.baseOffset, last: h.lastOffset, epoch: h.partitionLeaderEpoch, position, size: h.sizeBytes })
  }
  appendAsFollower(batches: Buffer) {
    let error = 0
    forEachBatch(batches, (h, p) => {
      if (h.baseOffset !== this.logEndOffset || !isBatchCrcValid(batches, p)) error = 2
      if (error === 0) this.push(batches.subarray(p, p + h.sizeBytes))
    })
    return { error, logEndOffset: this.logEndOffset }
  }
  read(o: { offset: number; maxBytes: number; endOffset: number }) {
    const out: Buffer[] = []
    let size = 0
    for (const e of this.entries) {
      if (e.last < o.offset || e.last >= o.endOffset) continue
      if (size > 0 && size + e.size > o.maxBytes) break
      out.push(this.file.read(e.position, e.size))
      size += e.size
    }
    return { error: 0, records: Buffer.concat(out) }
  }
  endOffsetForEpoch(epoch: number) {
    if (this.latestEpoch === epoch) return { epoch, endOffset: this.logEndOffset }
    const higher = this.entries.find((e) => e.epoch > epoch)
    if (!higher) return { epoch: -1, endOffset: -1 }
    const floor = this.entries.findLast((e) => e.epoch <= epoch)
    return { epoch: floor?.epoch ?? epoch, endOffset: higher.base }
  }
  updateHighWatermark(o: number) { this.highWatermark = o }
  truncateTo(offset: number) {
    while (this.entries.length > 0 && this.entries.at(-1)!.last >= offset) {
      const e = this.entries.pop()!
      this.file.truncate(e.position)
    }
  }
  flush(done: (e: any) => void) { this.file.fsync(done) }
}
