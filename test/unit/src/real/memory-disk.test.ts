import { describe, expect, it } from 'vitest'
import { MemoryDisk } from '../../../../src/real/memory-disk.ts'
import { MemoryStore } from '../../../../src/real/memory-store.ts'
import { codeOf } from '../../../support/port-contracts.ts'

describe('a disk in memory', () => {
  it('says ENOSPC beyond its capacity, keeps what it has and recovers with room', () => {
    const disk = new MemoryDisk({ capacityBytes: 10 })
    const file = disk.open('f')
    file.append([Buffer.alloc(8, 1)])
    expect(codeOf(() => file.append([Buffer.alloc(2), Buffer.alloc(1)]))).toBe('ENOSPC')
    expect(file.size()).toBe(8)
    file.append([Buffer.alloc(2)])
    disk.open('g').append([])
    expect(codeOf(() => disk.open('g').append([Buffer.alloc(1)]))).toBe('ENOSPC')
    disk.remove('f')
    expect(disk.open('g').append([Buffer.alloc(10)])).toBe(0)
    expect(disk.usedBytes()).toBe(10)
    disk.capacityBytes = 11
    expect(disk.open('g').append([Buffer.alloc(1)])).toBe(10)
  })

  it('answers through the queue it was given', () => {
    const queue: (() => void)[] = []
    const defer = (fn: () => void): void => {
      queue.push(fn)
    }
    const answers: string[] = []
    const file = new MemoryDisk({ defer }).open('f')
    file.fsync(() => answers.push('disk'))
    new MemoryStore({ defer }).sync(() => answers.push('store'))
    expect(answers).toEqual([])
    for (const fn of queue) fn()
    expect(answers).toEqual(['disk', 'store'])
  })
})
