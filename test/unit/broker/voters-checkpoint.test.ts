import { describe, expect, it } from 'vitest'
import { readVotersCheckpoint, writeVotersCheckpoint } from '../../../broker/voters-checkpoint.ts'
import { MemoryDisk } from '../../../src/real/memory-disk.ts'
import { ControlType, controlTypeOf } from '../../../src/wire/control-record.ts'
import { forEachBatch, readRecords } from '../../../src/wire/record-batch.ts'

const FILE = '__cluster_metadata-0/00000000000000000000-0000000000.checkpoint'
const VOTERS = [
  { nodeId: 1, directoryId: 'inX6JFLySPiFTUt0vbQiQA', host: '127.0.0.1', port: 41_193 },
  { nodeId: 2, directoryId: 'CQ93zO6mQfm0Gv0AgLSQrQ', host: '::1', port: 9093 },
]

describe('the checkpoint of the first voters', () => {
  it('gives back what was written', () => {
    const disk = new MemoryDisk()
    expect(readVotersCheckpoint(disk)).toBeNull()
    writeVotersCheckpoint(disk, { voters: VOTERS, listenerName: 'CONTROLLER', nowMs: 1000 })
    expect(readVotersCheckpoint(disk)).toEqual(VOTERS)
  })

  it('is built of the control records that Kafka writes, in two batches', () => {
    const disk = new MemoryDisk()
    writeVotersCheckpoint(disk, { voters: VOTERS, listenerName: 'CONTROLLER', nowMs: 1000 })
    const file = disk.open(FILE)
    const bytes = file.read(0, file.size())
    const found: (readonly [number, readonly number[]])[] = []
    forEachBatch(bytes, ({ baseOffset, isControl }, position) => {
      expect(isControl).toBe(true)
      found.push([baseOffset, readRecords(bytes, position).map(controlTypeOf)])
    })
    const { SNAPSHOT_HEADER, KRAFT_VERSION, KRAFT_VOTERS, SNAPSHOT_FOOTER } = ControlType
    expect(found).toEqual([
      [0, [SNAPSHOT_HEADER, KRAFT_VERSION, KRAFT_VOTERS]],
      [3, [SNAPSHOT_FOOTER]],
    ])
  })

  it('reads what the storage tool of Apache Kafka 4.3.1 wrote', () => {
    const disk = new MemoryDisk()
    const file = disk.open(FILE)
    file.append([Buffer.from(RECORDED, 'base64')])
    file.close()
    expect(readVotersCheckpoint(disk)).toEqual([VOTERS[0]])
  })

  it('does not take a damaged file for an empty one', () => {
    const disk = new MemoryDisk()
    disk.open(FILE).close()
    expect(() => readVotersCheckpoint(disk)).toThrow('names no voters')
  })
})

/** format --standalone of node 1 with CONTROLLER://127.0.0.1:41193. */
const RECORDED =
  'AAAAAAAAAAAAAACaAAAAAAIEFjYKACAAAAACAAABof94COYAAAGh/3gI5v//////////////////AAAAAyoAAAAIAAAAAxYAAAAA' +
  'AaH/eAjIAAAeAAACCAAAAAUKAAAAAQAAggEAAAQIAAAABm4AAAIAAAABinX6JFLySPiFTUt0vbQiQAILQ09OVFJPTExFUgoxMjcu' +
  'MC4wLjGg6QAAAAABAAAAAAAAAAAAAAADAAAAPwAAAAAC4JhJnAAgAAAAAAAAAaH/eAkdAAABof94CR3//////////////////wAA' +
  'AAEaAAAACAAAAAQGAAAAAA=='
