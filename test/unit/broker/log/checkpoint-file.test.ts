import { describe, expect, it } from 'vitest'
import { CorruptionError } from '../../../../src/base/errors.ts'
import { MemoryDisk } from '../../../../src/real/memory-disk.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'
import {
  readCheckpoint,
  readFile,
  replaceFile,
  writeCheckpoint,
} from '../../../../broker/log/checkpoint-file.ts'
import { overwrite, readWhole } from '../../../support/log-world.ts'

describe('a checkpoint', () => {
  it('has a version, a count and a line for each entry', () => {
    const disk = new MemoryDisk()
    writeCheckpoint(disk, 'd/c', ['orders 0 17', 'orders 1 3'])
    expect(readWhole(disk, 'd/c').toString()).toBe('0\n2\norders 0 17\norders 1 3\n')
    expect(readCheckpoint(disk, 'd/c')).toEqual(['orders 0 17', 'orders 1 3'])
    writeCheckpoint(disk, 'd/c', [])
    expect(readCheckpoint(disk, 'd/c')).toEqual([])
    expect(disk.list('d')).toEqual(['c'])
  })

  it('is null when its file is missing or empty, which says nothing', () => {
    const disk = new MemoryDisk()
    expect(readCheckpoint(disk, 'd/c')).toBeNull()
    overwrite(disk, 'd/c', Buffer.alloc(0))
    expect(readCheckpoint(disk, 'd/c')).toBeNull()
  })

  it('is corrupt in another version, with a wrong count or cut short', () => {
    const disk = new MemoryDisk()
    for (const text of ['1\n0\n', '0\n1\n', '0\n1\na\nb\n', '0\n1\na', '0', '\n', 'x\ny\n']) {
      overwrite(disk, 'd/c', Buffer.from(text))
      expect(() => readCheckpoint(disk, 'd/c')).toThrow(CorruptionError)
    }
  })
})

describe('a file that is replaced', () => {
  it('is the old one when the new one cannot be written', () => {
    const node = new SimWorld({ seed: 1 }).node('n')
    const { disk } = node.ports
    replaceFile(disk, 'd/c', Buffer.from('old'))
    for (const operation of ['open', 'append', 'rename'] as const) {
      node.disk.failNext(operation, 'ENOSPC')
      expect(() => replaceFile(disk, 'd/c', Buffer.from('new'))).toThrow(/planted/)
      expect(readFile(disk, 'd/c')?.toString()).toBe('old')
    }
    replaceFile(disk, 'd/c', Buffer.from('new'))
    expect(readFile(disk, 'd/c')?.toString()).toBe('new')
    expect(disk.list('d')).toEqual(['c'])
  })
})
