// Goal: a simulated disk fails as real ones do, and keeps what it has promised. Method: seeded power cuts
// against a model of what was synced, and each fault by hand.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DiskErrorCode } from '../../../../src/base/errors.ts'
import type { SimNode } from '../../../../src/sim/sim-node.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'
import { codeOf } from '../../../support/port-contracts.ts'

const SEEDS = Array.from({ length: 80 }, (_, index) => index)

type Done = (error: DiskErrorCode | null) => void

function startNode(seed = 1, powerCut?: 'ordered' | 'any'): { world: SimWorld; node: SimNode } {
  const world = new SimWorld({ seed, ...(powerCut === undefined ? {} : { powerCut }) })
  return { world, node: world.node('n') }
}

function wait(world: SimWorld, ask: (done: Done) => void): DiskErrorCode | null {
  let answer: DiskErrorCode | null | undefined
  ask((error) => {
    answer = error
  })
  expect(world.runUntil(() => answer !== undefined, 100_000)).toBe(true)
  return answer!
}

function syncAll(world: SimWorld, node: SimNode, directories = ['']): void {
  const { disk } = node.ports
  for (const path of node.disk.paths()) wait(world, (done) => disk.open(path).fsync(done))
  for (const directory of directories) wait(world, (done) => disk.syncDirectory(directory, done))
}

function textOf(node: SimNode, path = 'f'): string {
  return node.ports.disk.open(path).read(0, 1_000_000).toString()
}

const filled = (length: number, value: number): Buffer => Buffer.alloc(length, value)

describe('a power cut', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('append' as const), length: fc.integer({ min: 1, max: 3000 }) }),
    fc.record({ kind: fc.constant('truncate' as const), permille: fc.nat(1000) }),
    fc.record({ kind: fc.constant('sync' as const) }),
  )

  it('never takes what was synced, in neither mode, and never leaves a size that was not', () => {
    fc.assert(
      fc.property(
        fc.nat(1_000_000),
        fc.constantFrom('ordered' as const, 'any' as const),
        fc.array(step, { maxLength: 15 }),
        (seed, mode, steps) => {
          const { world, node } = startNode(seed, mode)
          const file = node.ports.disk.open('f')
          syncAll(world, node)
          let synced = Buffer.alloc(0)
          let firstCut = Infinity
          let largest = 0
          steps.forEach((each, index) => {
            if (each.kind === 'append') file.append([filled(each.length, index + 1)])
            else if (each.kind === 'truncate') {
              const size = Math.floor((file.size() * each.permille) / 1000)
              file.truncate(size)
              firstCut = Math.min(firstCut, size)
            } else {
              wait(world, (done) => file.fsync(done))
              synced = Buffer.from(file.read(0, file.size()))
              firstCut = Infinity
              largest = 0
            }
            largest = Math.max(largest, file.size())
          })
          node.crash({ losesUnsynced: true })
          node.restart()
          const found = Buffer.from(node.ports.disk.open('f').read(0, 1_000_000))
          // A truncation that was not synced may have happened: what it cut was given up by its owner.
          const safe = Math.min(synced.length, firstCut)
          expect(found.subarray(0, safe).equals(synced.subarray(0, safe))).toBe(true)
          expect(found.length).toBeLessThanOrEqual(Math.max(largest, synced.length))
        },
      ),
      { numRuns: 200 },
    )
  })

  it('may leave holes of zeros, garbage and torn sectors in what was not synced: any', () => {
    const seen = new Set<string>()
    for (const seed of SEEDS) {
      const { world, node } = startNode(seed, 'any')
      const file = node.ports.disk.open('f')
      syncAll(world, node)
      file.append([filled(5000, 1)])
      node.crash({ losesUnsynced: true })
      node.restart()
      const found = node.ports.disk.open('f').read(0, 9999)
      for (let at = 0; at + 512 <= found.length; at += 512) {
        const sector = found.subarray(at, at + 512)
        const ones = sector.filter((byte) => byte === 1).length
        const zeros = sector.filter((byte) => byte === 0).length
        if (ones === 512) seen.add('kept')
        else if (zeros === 512) seen.add('zeros')
        else seen.add(ones + zeros === 512 ? 'torn' : 'garbage')
      }
    }
    expect([...seen].sort()).toEqual(['garbage', 'kept', 'torn', 'zeros'])
  })

  it('is drawn at each cut when the world does not say how', () => {
    const hasHole = (seed: number): boolean => {
      const { world, node } = startNode(seed)
      const file = node.ports.disk.open('f')
      syncAll(world, node)
      file.append([filled(50_000, 1)])
      node.crash({ losesUnsynced: true })
      node.restart()
      return node.ports.disk
        .open('f')
        .read(0, 99_999)
        .some((byte) => byte !== 1)
    }
    const holes = SEEDS.filter((seed) => hasHole(seed)).length
    expect(holes).toBeGreaterThan(10)
    expect(holes).toBeLessThan(70)
  })
})

describe('names after a power cut', () => {
  it('are a prefix of each directory’s steps, and hold at least what was synced', () => {
    const step = fc.record({ directory: fc.constantFrom('a', 'b'), isSync: fc.boolean() })
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.array(step, { maxLength: 20 }), (seed, steps) => {
        const { world, node } = startNode(seed)
        const { disk } = node.ports
        for (const name of ['a', 'b']) disk.makeDirectory(name)
        wait(world, (done) => disk.syncDirectory('', done))
        const made: Record<string, string[]> = { a: [], b: [] }
        const synced: Record<string, number> = { a: 0, b: 0 }
        for (const { directory, isSync } of steps) {
          const names = made[directory]!
          if (isSync) {
            wait(world, (done) => disk.syncDirectory(directory, done))
            synced[directory] = names.length
          } else {
            const name = `${names.length}`.padStart(2, '0')
            disk.open(`${directory}/${name}`)
            names.push(name)
          }
        }
        node.crash({ losesUnsynced: true })
        node.restart()
        for (const directory of ['a', 'b']) {
          const found = node.ports.disk.list(directory)
          expect(found).toEqual(made[directory]!.slice(0, found.length))
          expect(found.length).toBeGreaterThanOrEqual(synced[directory]!)
        }
      }),
      { numRuns: 150 },
    )
  })

  it('may undo creation, rename, removal and directories, each as a whole', () => {
    const found = new Set<string>()
    for (const seed of SEEDS) {
      const { world, node } = startNode(seed)
      const { disk } = node.ports
      for (const path of ['old', 'gone']) disk.open(path).append([Buffer.from(path)])
      syncAll(world, node)
      disk.open('new').append([Buffer.from('new')])
      syncFile(world, node, 'new')
      disk.rename('new', 'old')
      disk.remove('gone')
      disk.makeDirectory('dir')
      node.crash({ losesUnsynced: true })
      node.restart()
      found.add(`${node.ports.disk.list('').join(' ')}: ${textOf(node, 'old')}`)
    }
    expect([...found].sort()).toEqual([
      'dir old: new',
      'gone new old: old',
      'gone old: new',
      'gone old: old',
      'old: new',
    ])
  })

  it('may leave a removed tree half removed', () => {
    const found = new Set<string>()
    for (const seed of SEEDS) {
      const { world, node } = startNode(seed)
      for (const name of ['1', '2', '3']) node.ports.disk.open(`d/${name}`)
      syncAll(world, node, ['d', ''])
      node.ports.disk.remove('d')
      expect(node.ports.disk.list('')).toEqual([])
      node.crash({ losesUnsynced: true })
      node.restart()
      found.add(`${node.ports.disk.list('').join()}:${node.ports.disk.list('d').join()}`)
    }
    expect([...found].sort()).toEqual([':', 'd:', 'd:1,2,3', 'd:2,3', 'd:3'])
  })

  it('stay when the directory was synced, with the directory itself and what a rename left behind', () => {
    for (const seed of SEEDS) {
      const { world, node } = startNode(seed)
      const { disk } = node.ports
      disk.open('a/b/f').append([Buffer.from('text')])
      syncFile(world, node, 'a/b/f')
      disk.makeDirectory('c')
      disk.rename('a/b/f', 'c/g')
      wait(world, (done) => disk.syncDirectory('c', done))
      node.crash({ losesUnsynced: true })
      node.restart()
      expect([node.disk.paths(), textOf(node, 'c/g')]).toEqual([['c/g'], 'text'])
    }
  })

  it('are all kept when only the process dies', () => {
    const { node } = startNode()
    node.ports.disk.open('x/y')
    node.ports.disk.rename('x/y', 'x/z')
    node.crash()
    node.restart()
    expect(node.disk.paths()).toEqual(['x/z'])
  })
})

describe('damage', () => {
  it('of a bit is read, told, undone, and gone with a truncation', () => {
    const { node } = startNode()
    const file = node.ports.disk.open('d/f')
    file.append([Buffer.from('abc')])
    expect(node.disk.flipBit('d/f', 1, 0)).toBe(true)
    expect(textOf(node, 'd/f')).toBe('acc')
    expect(node.disk.damages()).toEqual([
      { path: 'd/f', kind: 'flipped-bit', position: 1, length: 1 },
    ])
    expect(file.read(2, 1).toString()).toBe('c')
    node.disk.repairAll()
    expect([textOf(node, 'd/f'), node.disk.damages()]).toEqual(['abc', []])
    node.disk.flipBit('d/f', 1, 0)
    file.truncate(1)
    file.append([Buffer.from('bc')])
    expect([textOf(node, 'd/f'), node.disk.damages()]).toEqual(['abc', []])
    for (const [path, byte] of [
      ['d/f', 3],
      ['d', 0],
      ['none', 0],
    ] as const) {
      expect(node.disk.flipBit(path, byte, 0)).toBe(false)
    }
  })

  it('outlives crashes of the node', () => {
    const { world, node } = startNode()
    node.ports.disk.open('f').append([Buffer.from('abc')])
    syncAll(world, node)
    node.disk.flipBit('f', 2, 1)
    node.crash({ losesUnsynced: true })
    node.restart()
    expect(textOf(node)).toBe('aba')
  })

  it('of a lost write reads as zeros, though the append was acknowledged', () => {
    const { node } = startNode()
    const file = node.ports.disk.open('f')
    file.append([Buffer.from('ab')])
    node.disk.loseNextAppend()
    expect(file.append([])).toBe(2)
    expect(file.append([Buffer.from('c'), Buffer.from('d')])).toBe(2)
    expect(file.append([Buffer.from('ef')])).toBe(4)
    expect(textOf(node)).toBe('ab\0\0ef')
    node.disk.repairAll()
    expect(textOf(node)).toBe('abcdef')
  })

  it('of a misdirected write lands elsewhere in the file; the right place reads as zeros', () => {
    const places = new Set<string>()
    for (const seed of SEEDS) {
      const { node } = startNode(seed)
      const file = node.ports.disk.open('f')
      file.append([Buffer.from('....')])
      node.disk.misdirectNextAppend()
      expect(file.append([Buffer.from('XY')])).toBe(4)
      places.add(textOf(node))
      node.disk.repairAll()
      expect(textOf(node)).toBe('....XY')
    }
    expect([...places].sort()).toEqual(['...X\0\0', '..XY\0\0', '.XY.\0\0', 'XY..\0\0'].toSorted())
  })
})

describe('a disk that lies or is slow', () => {
  it('answers syncs of file, directory and store, and a power cut takes what it had promised', () => {
    let lost = 0
    for (const seed of SEEDS) {
      const { world, node } = startNode(seed)
      node.disk.isLying = true
      const { store } = node.ports
      node.ports.disk.open('f').append([Buffer.from('x')])
      store.put('vote', 1)
      syncAll(world, node)
      expect(
        wait(world, (done) => store.sync((error) => done(error === null ? null : 'EIO'))),
      ).toBe(null)
      node.crash({ losesUnsynced: true })
      node.restart()
      if (!node.ports.disk.exists('f')) lost += 1
      if (node.ports.store.get('vote') === undefined) lost += 1000
    }
    expect(lost % 1000).toBeGreaterThan(10)
    expect(lost).toBeGreaterThan(10_000)
  })

  it('is honest again with the next sync after the lie', () => {
    for (const seed of SEEDS) {
      const { world, node } = startNode(seed)
      node.ports.disk.open('f').append([Buffer.from('x')])
      node.disk.isLying = true
      syncAll(world, node)
      node.disk.isLying = false
      syncAll(world, node)
      node.crash({ losesUnsynced: true })
      node.restart()
      expect(textOf(node)).toBe('x')
    }
  })

  it('lets every sync wait for the extra time', () => {
    const { world, node } = startNode()
    node.disk.extraFsyncUs = 5_000_000
    const { disk, store } = node.ports
    let answers = 0
    disk.open('f').fsync(() => (answers += 1))
    disk.syncDirectory('', () => (answers += 1))
    store.sync(() => (answers += 1))
    world.runFor(4999)
    expect(answers).toBe(0)
    world.runFor(100)
    expect(answers).toBe(3)
  })
})

describe('the trace', () => {
  it('has a row for each fault of a disk and a clock that is set, planted or undone', () => {
    const { world, node } = startNode()
    node.ports.disk.open('f').append([Buffer.from('abc')])
    node.disk.flipBit('f', 1, 1)
    node.disk.flipBit('f', 9, 1)
    node.disk.loseNextAppend()
    node.disk.misdirectNextAppend()
    node.disk.failNext('fsync', 'EIO')
    node.disk.isLying = true
    node.disk.isLying = true
    node.disk.extraFsyncUs = 10
    node.disk.capacityBytes = 10
    node.disk.repairAll()
    node.disk.repairAll()
    node.wallOffsetMs = 5
    node.clockRatePermille = 900
    node.costFactor = 3
    expect(world.trace.rows().map(({ kind }) => kind)).toEqual([
      'disk.bit-flipped',
      'disk.fault-planted',
      'disk.fault-planted',
      'disk.fault-planted',
      'disk.honesty-changed',
      'disk.slowness-changed',
      'disk.capacity-changed',
      'disk.repaired',
      'node.wall-clock-changed',
      'node.clock-rate-changed',
      'node.cost-changed',
    ])
  })
})

describe('images of a node', () => {
  it('come back as they were, durable, with their damage, any number of times', () => {
    const { world, node } = startNode()
    node.ports.disk.open('d/f').append([Buffer.from('old')])
    node.ports.disk.makeDirectory('empty')
    node.ports.store.put('term', 1)
    node.disk.flipBit('d/f', 0, 1)
    const backup = node.backup()
    node.ports.disk.open('d/f').append([Buffer.from(' and new')])
    node.ports.disk.open('later')
    node.ports.store.put('term', 2)
    expect(() => node.restoreBackup(backup)).toThrow('which is up')
    expect(() => node.wipe()).toThrow('which is up')
    for (let round = 0; round < 2; round += 1) {
      node.crash({ losesUnsynced: true })
      node.restoreBackup(backup)
      node.restart()
      node.crash({ losesUnsynced: true })
      node.restart()
      expect(node.ports.disk.list('')).toEqual(['d', 'empty'])
      expect([textOf(node, 'd/f'), node.ports.store.get('term')]).toEqual(['mld', 1])
      node.ports.disk.open('d/f').append([Buffer.from('!')])
    }
    node.crash()
    node.wipe()
    node.restart()
    expect([node.ports.disk.list(''), node.ports.store.keys('')]).toEqual([[], []])
    world.runFor(1000)
  })
})

describe('every operation that changes a disk', () => {
  function work(node: SimNode): void {
    const { disk } = node.ports
    const file = disk.open('d/f') // 1
    disk.open('d/f')
    file.append([Buffer.from('abc')]) // 2
    file.append([])
    file.truncate(2) // 3
    file.truncate(2)
    file.fsync(() => disk.remove('d/g')) // 5, 6
    disk.rename('d/f', 'd/g') // 4
    disk.remove('missing')
    disk.makeDirectory('d')
  }

  it('is counted, once it is done, and a crash can be set after each', () => {
    const { world, node } = startNode()
    work(node)
    world.runFor(1000)
    expect(node.disk.operationsRun).toBe(6)
    expect(() => node.disk.crashAfterOperation(6, () => {})).toThrow('after operation 6')
    const states: string[] = []
    for (let at = 1; at <= 6; at += 1) {
      const run = startNode()
      run.node.disk.crashAfterOperation(at, () => run.node.crash())
      run.node.ports.clock.after(1, 'work', () => work(run.node))
      run.world.runFor(1000)
      // What the disk was asked for before it still finishes: the fsync after the crash at 4.
      expect([run.node.isUp, run.node.disk.operationsRun]).toEqual([false, at === 4 ? 5 : at])
      const [path] = run.node.restart().disk.list('d')
      states.push(path === undefined ? 'none' : `${path} ${textOf(run.node, `d/${path}`)}`)
    }
    expect(states).toEqual(['f ', 'f abc', 'f ab', 'g ab', 'g ab', 'none'])
  })

  it('fails with what was planted for it, and counts nothing then', () => {
    const { node } = startNode()
    node.disk.failNext('open', 'EIO')
    expect(codeOf(() => node.ports.disk.open('f'))).toBe('EIO')
    expect(node.disk.operationsRun).toBe(0)
  })
})

function syncFile(world: SimWorld, node: SimNode, path: string): void {
  wait(world, (done) => node.ports.disk.open(path).fsync(done))
}
