import { describe, expect, it } from 'vitest'
import {
  readBootstrapFeatures,
  writeBootstrapCheckpoint,
} from '../../../broker/bootstrap-checkpoint.ts'
import { firstFeatures } from '../../../broker/metadata/features.ts'
import { MemoryDisk } from '../../../src/real/memory-disk.ts'

const FILE = 'bootstrap.checkpoint'
/** What the storage tool of Apache Kafka 4.3.1 wrote with its defaults. */
const OF_KAFKA = [
  'AAAAAAAAAAAAAABHAAAAAAK2OsTsACAAAAAAAAABogA5wOAAAAGiADnA4P//////////////////AAAAASoAAAAIAAAAAxYAAAAA',
  'AAAAAAAAAAAAAAAAAAAAAQAAAPEAAAAAAh6cPaIAAAAAAAUAAAGiADnBEAAAAaIAOcEQ//////////////////8AAAAGOgAAAAEu',
  'AQwAEW1ldGFkYXRhLnZlcnNpb24AHgAAWgAAAgFOAQwAIWVsaWdpYmxlLmxlYWRlci5yZXBsaWNhcy52ZXJzaW9uAAEAADQAAAQB',
  'KAEMAA5ncm91cC52ZXJzaW9uAAEAADQAAAYBKAEMAA5zaGFyZS52ZXJzaW9uAAEAADgAAAgBLAEMABBzdHJlYW1zLnZlcnNpb24A',
  'AQAAQAAACgE0AQwAFHRyYW5zYWN0aW9uLnZlcnNpb24AAgAAAAAAAAAAAAcAAAA/AAAAAAIQatzOACAAAAAAAAABogA5wRsAAAGi',
  'ADnBG///////////////////AAAAARoAAAAIAAAABAYAAAAA',
].join('')

describe('the checkpoint of the first features', () => {
  it('gives back what was written, and only that', () => {
    const disk = new MemoryDisk()
    expect(readBootstrapFeatures(disk)).toBeNull()
    const features = new Map([
      ['metadata.version', 30],
      ['transaction.version', 1],
    ])
    writeBootstrapCheckpoint(disk, features, 1000)
    expect(readBootstrapFeatures(disk)).toEqual(features)
    const fewer = new Map([['metadata.version', 30]])
    writeBootstrapCheckpoint(disk, fewer, 1000)
    expect(readBootstrapFeatures(disk)).toEqual(fewer)
  })

  it('reads what the storage tool of Apache Kafka 4.3.1 wrote', () => {
    const disk = new MemoryDisk()
    const file = disk.open(FILE)
    file.append([Buffer.from(OF_KAFKA, 'base64')])
    file.close()
    expect([...(readBootstrapFeatures(disk) ?? [])]).toEqual([
      ['metadata.version', 30],
      ['eligible.leader.replicas.version', 1],
      ['group.version', 1],
      ['share.version', 1],
      ['streams.version', 1],
      ['transaction.version', 2],
    ])
  })

  it('is written as Kafka writes it, save for the times', () => {
    const disk = new MemoryDisk()
    const features = new Map([
      ['metadata.version', 30],
      ['eligible.leader.replicas.version', 1],
      ['group.version', 1],
      ['share.version', 1],
      ['streams.version', 1],
      ['transaction.version', 2],
    ])
    writeBootstrapCheckpoint(disk, features, 1000)
    const file = disk.open(FILE)
    const ofKafka = Buffer.from(OF_KAFKA, 'base64')
    const bytes = file.read(0, file.size())
    expect(bytes.length).toBe(ofKafka.length)
    // The records of the second batch, which begin after its header.
    expect(bytes.subarray(144, 336).toString('hex')).toBe(
      ofKafka.subarray(144, 336).toString('hex'),
    )
  })

  it('names levels of which a new cluster takes those that this program serves', () => {
    expect([...firstFeatures(null)]).toEqual([['transaction.version', 2]])
    const formatted = new Map([
      ['group.version', 1],
      ['transaction.version', 1],
    ])
    expect([...firstFeatures(formatted)]).toEqual([['transaction.version', 1]])
    expect([...firstFeatures(new Map())]).toEqual([])
  })
})
