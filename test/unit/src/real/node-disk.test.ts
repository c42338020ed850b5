import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
  writevSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DiskErrorCode } from '../../../../src/base/errors.ts'
import { NodeDisk } from '../../../../src/real/node-disk.ts'
import type { WriteCalls } from '../../../../src/real/node-file.ts'
import { codeOf, untilInEventLoop } from '../../../support/port-contracts.ts'

let root = ''

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kafkette-'))
})

afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

describe('a disk of the machine', () => {
  it('keeps its files where they were said to be', () => {
    new NodeDisk(root).open('topic-0/0.log').append([Buffer.from('ab'), Buffer.from('c')])
    expect(readFileSync(join(root, 'topic-0', '0.log'), 'utf8')).toBe('abc')
    const again = new NodeDisk(root).open('topic-0/0.log')
    expect(again.append([Buffer.from('d')])).toBe(3)
    expect(again.read(0, 9).toString()).toBe('abcd')
  })

  it('writes all bytes although the system takes a few at a time', () => {
    const disk = new NodeDisk(root, { writeCalls: shortWrites(7) })
    const file = disk.open('f')
    const chunks = [1, 20, 3, 0, 55].map((count, index) => Buffer.alloc(count, 65 + index))
    file.append([Buffer.from('head')])
    expect(file.append(chunks)).toBe(4)
    expect(file.read(4, 1000).equals(Buffer.concat(chunks))).toBe(true)
  })

  it('says ENOSPC for a full disk and leaves no part of the append', () => {
    let roomBytes = 10
    const disk = new NodeDisk(root, { writeCalls: fullAfter(() => roomBytes) })
    const file = disk.open('f')
    file.append([Buffer.from('12345678')])
    expect(codeOf(() => file.append([Buffer.from('abc'), Buffer.from('def')]))).toBe('ENOSPC')
    expect(codeOf(() => file.append([Buffer.from('abcdef')]))).toBe('ENOSPC')
    expect(file.size()).toBe(8)
    expect(readFileSync(join(root, 'f'), 'utf8')).toBe('12345678')
    roomBytes = 100
    expect(file.append([Buffer.from('abc'), Buffer.from('def')])).toBe(8)
    expect(file.read(0, 100).toString()).toBe('12345678abcdef')
  })

  it('gives all descriptors back, also when an fsync is under way', async () => {
    const disk = new NodeDisk(root)
    const before = openDescriptors()
    const answers: (DiskErrorCode | null)[] = []
    for (let index = 0; index < 20; index += 1) {
      const file = disk.open(`f${index}`)
      const twin = disk.open(`f${index}`)
      file.append([Buffer.alloc(100)])
      file.fsync((error) => answers.push(error))
      twin.fsync((error) => answers.push(error))
      file.close()
      twin.close()
    }
    await untilInEventLoop(() => answers.length === 40)
    await untilInEventLoop(() => openDescriptors() === before)
    expect(new Set(answers)).toEqual(new Set([null]))
  })

  it('opens anew a file that was removed while a handle was open', () => {
    const disk = new NodeDisk(root)
    const old = disk.open('f')
    old.append([Buffer.from('old')])
    disk.remove('f')
    const fresh = disk.open('f')
    fresh.append([Buffer.from('fresh')])
    expect(old.read(0, 9).toString()).toBe('old')
    expect(readFileSync(join(root, 'f'), 'utf8')).toBe('fresh')
  })

  it('creates its root', () => {
    const below = join(root, 'not', 'yet')
    expect(new NodeDisk(below).list('')).toEqual([])
    expect(existsSync(below)).toBe(true)
  })

  it('fails with a DiskError when the root cannot be', () => {
    new NodeDisk(root).open('file').close()
    expect(codeOf(() => new NodeDisk(join(root, 'file')))).toBe('EIO')
  })
})

function openDescriptors(): number {
  return existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0
}

function shortWrites(mostBytes: number): WriteCalls {
  return {
    write: (fd, bytes, from, position) =>
      writeSync(fd, bytes, from, Math.min(mostBytes, bytes.byteLength - from), position),
    writev: (fd, chunks, position) => writeSync(fd, Buffer.concat(chunks), 0, mostBytes, position),
  }
}

/** A disk on which a file may have so many bytes; it writes what fits, then fails, as Linux does. */
function fullAfter(roomBytes: () => number): WriteCalls {
  const fail = (): never => {
    throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
  }
  return {
    write: (fd, bytes, from, position) => {
      const count = Math.min(roomBytes() - position, bytes.byteLength - from)
      return count <= 0 ? fail() : writeSync(fd, bytes, from, count, position)
    },
    writev: (fd, chunks, position) => {
      const all = Buffer.concat(chunks)
      const count = Math.min(roomBytes() - position, all.length)
      if (count <= 0) return fail()
      return count === all.length
        ? writevSync(fd, chunks, position)
        : writeSync(fd, all, 0, count, position)
    },
  }
}
