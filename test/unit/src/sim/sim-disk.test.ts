import { describe, expect, it } from 'vitest'
import type { DiskErrorCode } from '../../../../src/base/errors.ts'
import type { DiskFile } from '../../../../src/ports/disk.ts'
import type { SimNode } from '../../../../src/sim/sim-node.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'
import { codeOf } from '../../../support/port-contracts.ts'

const SEEDS = Array.from({ length: 60 }, (_, index) => index)

function startNode(seed = 1): { world: SimWorld; node: SimNode; file: DiskFile } {
  const world = new SimWorld({ seed, powerCut: 'ordered' })
  const node = world.node('n')
  const file = node.ports.disk.open('log')
  let isSynced = false
  node.ports.disk.syncDirectory('', () => {
    isSynced = true
  })
  expect(world.runUntil(() => isSynced, 1000)).toBe(true)
  return { world, node, file }
}

function sync(world: SimWorld, file: DiskFile): DiskErrorCode | null {
  let answer: DiskErrorCode | null | undefined
  file.fsync((error) => {
    answer = error
  })
  expect(world.runUntil(() => answer !== undefined, 1000)).toBe(true)
  return answer!
}

function reread(node: SimNode): string {
  return node.restart().disk.open('log').read(0, 10_000).toString()
}

describe('a simulated disk', () => {
  it('keeps all written bytes when only the process crashes', () => {
    const { node, file } = startNode()
    file.append([Buffer.from('synced or not')])
    node.crash()
    expect(reread(node)).toBe('synced or not')
  })

  it('shows what was written at a path, and nothing where no file is', () => {
    const { node, file } = startNode()
    file.append([Buffer.from('some bytes')])
    node.ports.disk.makeDirectory('directory')
    expect(node.disk.written('log', 5, 100).toString()).toBe('bytes')
    expect(node.disk.written('missing', 0, 100)).toHaveLength(0)
    expect(node.disk.written('directory', 0, 100)).toHaveLength(0)
  })

  it('keeps what was synced through a power cut, and of the rest a prefix or nothing', () => {
    const found = new Set<string>()
    for (const seed of SEEDS) {
      const { world, node, file } = startNode(seed)
      file.append([Buffer.from('durable.')])
      expect(sync(world, file)).toBeNull()
      file.append([Buffer.from('one.')])
      file.append([Buffer.from('two.')])
      node.crash({ losesUnsynced: true })
      found.add(reread(node))
    }
    expect([...found].sort()).toEqual(['durable.', 'durable.one.', 'durable.one.two.'])
  })

  it('may tear the first lost append at a sector', () => {
    const sizes = new Set<number>()
    for (const seed of SEEDS) {
      const { node, file } = startNode(seed)
      file.append([Buffer.alloc(1500, 'x')])
      node.crash({ losesUnsynced: true })
      sizes.add(reread(node).length)
    }
    expect([...sizes].sort((a, b) => a - b)).toEqual([0, 512, 1024, 1500])
  })

  it('scatters what a power cut leaves when it is told to, whatever the world does', () => {
    const contents = new Set<string>()
    for (const seed of SEEDS) {
      const { node, file } = startNode(seed)
      file.append([Buffer.alloc(1500, 'x')])
      node.crash({ losesUnsynced: true, tear: 'any' })
      contents.add(reread(node).replaceAll('x', ''))
    }
    expect(contents.size).toBeGreaterThan(1)
  })

  it('may undo a truncation that was not synced', () => {
    const found = new Set<string>()
    for (const seed of SEEDS) {
      const { world, node, file } = startNode(seed)
      file.append([Buffer.from('abcdef')])
      sync(world, file)
      file.truncate(3)
      node.crash({ losesUnsynced: true })
      found.add(reread(node))
    }
    expect([...found].sort()).toEqual(['abc', 'abcdef'])
  })

  it('makes durable only what was written before the fsync was asked for', () => {
    const found = new Set<string>()
    for (const seed of SEEDS) {
      const { world, node, file } = startNode(seed)
      let isSynced = false
      file.append([Buffer.from('before.')])
      file.fsync(() => {
        isSynced = true
      })
      file.append([Buffer.from('after.')])
      world.runUntil(() => isSynced, 1000)
      node.crash({ losesUnsynced: true })
      found.add(reread(node))
    }
    expect([...found].sort()).toEqual(['before.', 'before.after.'])
  })

  it('never answers an fsync of a life that is over', () => {
    const { world, node, file } = startNode()
    file.append([Buffer.from('x')])
    file.fsync(() => expect.fail('answered'))
    node.crash()
    node.restart()
    world.runFor(1000)
    expect(codeOf(() => file.append([Buffer.from('y')]))).toBe('EBADF')
  })

  it('fails the next operation of a kind with a planted fault, once', () => {
    const { node, file } = startNode()
    const { disk } = node.ports
    file.append([Buffer.from('abc')])
    node.disk.failNext('append', 'ENOSPC')
    node.disk.failNext('append', 'EIO')
    node.disk.failNext('read', 'EIO')
    node.disk.failNext('open', 'EACCES')
    node.disk.failNext('rename', 'EIO')
    expect(codeOf(() => file.append([Buffer.from('d')]))).toBe('ENOSPC')
    expect(codeOf(() => file.append([Buffer.from('d')]))).toBe('EIO')
    expect(codeOf(() => file.read(0, 1))).toBe('EIO')
    expect(codeOf(() => disk.open('x'))).toBe('EACCES')
    expect(codeOf(() => disk.rename('log', 'x'))).toBe('EIO')
    expect(file.append([Buffer.from('d')])).toBe(3)
    expect(file.read(0, 9).toString()).toBe('abcd')
  })

  it('loses for good what a failed fsync was to save, as Linux does', () => {
    const { world, node, file } = startNode()
    file.append([Buffer.from('lost')])
    node.disk.failNext('fsync', 'EIO')
    expect(sync(world, file)).toBe('EIO')
    file.append([Buffer.from('kept')])
    expect(sync(world, file)).toBeNull()
    expect(file.read(0, 9).toString()).toBe('lostkept')
    node.crash({ losesUnsynced: true })
    expect(reread(node)).toBe('\0\0\0\0kept')
  })

  it('says ENOSPC at its capacity and goes on when there is room', () => {
    const { node, file } = startNode()
    node.disk.capacityBytes = 5
    file.append([Buffer.from('abc')])
    expect(codeOf(() => file.append([Buffer.from('def')]))).toBe('ENOSPC')
    expect(file.size()).toBe(3)
    node.disk.capacityBytes = 6
    expect(file.append([Buffer.from('def')])).toBe(3)
  })
})

describe('a simulated store', () => {
  it('keeps all changes through a process crash', () => {
    const { node } = startNode()
    node.ports.store.put('a', 1)
    node.crash()
    expect(node.restart().store.get('a')).toBe(1)
  })

  it('loses in a power cut at most what was not synced, the last changes first', () => {
    const found = new Set<string>()
    for (const seed of SEEDS) {
      const { world, node } = startNode(seed)
      const { store } = node.ports
      let isSynced = false
      store.put('term', 1)
      store.sync(() => {
        isSynced = true
      })
      store.put('term', 2)
      store.put('vote', 9)
      world.runUntil(() => isSynced, 1000)
      node.crash({ losesUnsynced: true })
      const { store: next } = node.restart()
      found.add(JSON.stringify([next.get('term'), next.get('vote') ?? null]))
    }
    expect([...found].sort()).toEqual(['[1,null]', '[2,9]', '[2,null]'])
  })

  it('answers a planted error once', () => {
    const { world, node } = startNode()
    const answers: (Error | null)[] = []
    node.store.failNextSync(new Error('planted'))
    node.ports.store.put('a', 1)
    node.ports.store.sync((error) => answers.push(error))
    node.ports.store.sync((error) => answers.push(error))
    world.runFor(1000)
    expect(answers.filter((error) => error === null)).toHaveLength(1)
    expect(answers.filter((error) => error?.message === 'planted')).toHaveLength(1)
  })
})
