import { describe, expect, it } from 'vitest'
import {
  claimDirectory,
  leaveCleanShutdownMark,
  syncClaim,
  takeCleanShutdownMark,
} from '../../../broker/node-identity.ts'
import { MemoryDisk } from '../../../src/real/memory-disk.ts'
import { NodeRandom } from '../../../src/real/node-random.ts'

const random = new NodeRandom()
const WANTED = { clusterId: 'AAECAwQFBgcICQoLDA0ODw', nodeId: 2 }
const META = 'meta.properties'

function write(disk: MemoryDisk, path: string, text: string): void {
  const file = disk.open(path)
  file.truncate(0)
  file.append([Buffer.from(text)])
  file.close()
}

function textOf(disk: MemoryDisk, path: string): string {
  const file = disk.open(path)
  const text = file.read(0, file.size()).toString()
  file.close()
  return text
}

describe('claimDirectory', () => {
  it('writes who owns a new directory as Kafka does, and finds it again', () => {
    const disk = new MemoryDisk()
    const first = claimDirectory(disk, random, WANTED)
    expect(textOf(disk, META)).toBe(
      `#\nversion=1\ncluster.id=${WANTED.clusterId}\nnode.id=2\ndirectory.id=${first.directoryId}\n`,
    )
    expect(claimDirectory(disk, random, WANTED)).toEqual(first)
  })

  it('reads what Apache Kafka wrote, in another order and with a date', () => {
    const disk = new MemoryDisk()
    const directoryId = 'oCkR2fHbQ7Wd8KLpZ0sV3g'
    const lines = ['#Sat Nov 21 10:00:00 UTC 2026', `directory.id=${directoryId}`, 'node.id = 2']
    write(disk, META, [...lines, 'version=1', `cluster.id=${WANTED.clusterId}`, ''].join('\r\n'))
    expect(claimDirectory(disk, random, WANTED)).toEqual({ ...WANTED, directoryId })
  })

  it('takes an empty file for a claim that a power cut took back', () => {
    const disk = new MemoryDisk()
    write(disk, META, '')
    claimDirectory(disk, random, WANTED)
    expect(textOf(disk, META)).toMatch(/^node.id=2$/m)
  })

  it('refuses the directory of another cluster or node, and an id that is none', () => {
    const disk = new MemoryDisk()
    const { directoryId } = claimDirectory(disk, random, WANTED)
    const other = 'EBESExQVFhcYGRobHB0eHw'
    expect(() => claimDirectory(disk, random, { ...WANTED, clusterId: other })).toThrow(
      `the data directory belongs to cluster ${WANTED.clusterId}, this node is of cluster ${other}`,
    )
    expect(() => claimDirectory(disk, random, { ...WANTED, nodeId: 3 })).toThrow(
      "the data directory belongs to node 2, this node's node.id is 3",
    )
    write(disk, META, textOf(disk, META).replace(directoryId, 'nonsense'))
    expect(() => claimDirectory(disk, random, WANTED)).toThrow('directory.id "nonsense" is not')
  })

  it('tells when the claim is durable', () => {
    const disk = new MemoryDisk()
    claimDirectory(disk, random, WANTED)
    return new Promise<void>((resolve) => {
      syncClaim(disk, (error) => {
        expect(error).toBeNull()
        resolve()
      })
    })
  })
})

describe('the mark of a clean shutdown', () => {
  it('is read once, with the epoch of the broker that left it', () => {
    const disk = new MemoryDisk()
    expect(takeCleanShutdownMark(disk)).toBeNull()
    leaveCleanShutdownMark(disk, 17)
    expect(JSON.parse(textOf(disk, '.kafka_cleanshutdown'))).toEqual({
      version: 0,
      brokerEpoch: 17,
    })
    expect(takeCleanShutdownMark(disk)).toBe(17)
    expect(takeCleanShutdownMark(disk)).toBeNull()
  })

  it('counts without an epoch that can be read', () => {
    const disk = new MemoryDisk()
    write(disk, '.kafka_cleanshutdown', '')
    expect(takeCleanShutdownMark(disk)).toBe(-1)
  })
})
