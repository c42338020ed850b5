import { afterEach, describe, expect, it } from 'vitest'
import { DiskError, type DiskErrorCode } from '../../src/base/errors.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Disk } from '../../src/ports/disk.ts'
import type { Random } from '../../src/ports/random.ts'
import type { Store } from '../../src/ports/store.ts'

/** What every harness of a port contract can do besides giving the port. */
export interface PortHarness {
  /** Lets the port work until the condition holds; rejects when it never does. */
  readonly until: (condition: () => boolean) => Promise<void>
  readonly dispose: () => Promise<void> | void
}

export interface DiskHarness extends PortHarness {
  readonly disk: Disk
}

export interface StoreHarness extends PortHarness {
  readonly store: Store
}

export interface ClockHarness extends PortHarness {
  readonly clock: Clock
}

const REAL_LIMIT_MS = 5000

/** `until` for ports that live in the event loop of this process. */
export async function untilInEventLoop(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + REAL_LIMIT_MS
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('the awaited condition never held')
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Keeps the harnesses of a suite and disposes of them after each test. */
export function harnesses<H extends PortHarness>(create: () => H): () => H {
  let open: H[] = []
  afterEach(async () => {
    const closing = open
    open = []
    for (const harness of closing) await harness.dispose()
  })
  return () => {
    const harness = create()
    open.push(harness)
    return harness
  }
}

/** What each `Disk` does alike. */
export function describeDisk(name: string, create: () => DiskHarness): void {
  describe(`${name} as a disk`, () => {
    const start = harnesses(create)

    it('creates a file with its directories and starts it empty', () => {
      const { disk } = start()
      const file = disk.open('a/b/c.log')
      expect(file.size()).toBe(0)
      expect(file.path).toBe('a/b/c.log')
      expect(disk.exists('a/b')).toBe(true)
      expect(disk.exists('a/b/c.log')).toBe(true)
      expect(disk.exists('a/b/d.log')).toBe(false)
    })

    it('appends chunks in order and reads them from any position', () => {
      const { disk } = start()
      const file = disk.open('f')
      expect(file.append([Buffer.from('hello '), Buffer.from('wor')])).toBe(0)
      expect(file.append([Buffer.from('ld')])).toBe(9)
      expect(file.append([])).toBe(11)
      expect(file.size()).toBe(11)
      expect(file.read(0, 11).toString()).toBe('hello world')
      expect(file.read(4, 5).toString()).toBe('o wor')
      expect(file.read(8, 100).toString()).toBe('rld')
      expect(file.read(11, 1)).toHaveLength(0)
      expect(file.read(500, 1)).toHaveLength(0)
    })

    it('appends more chunks at once than a system call takes', () => {
      const { disk } = start()
      const file = disk.open('f')
      const chunks = Array.from({ length: 2500 }, (_, index) => Buffer.from([index & 0xff, 7]))
      file.append([Buffer.from('x')])
      file.append(chunks)
      expect(file.read(1, 5000).equals(Buffer.concat(chunks))).toBe(true)
    })

    it('leaves bytes once read as they are, whatever happens to the file', () => {
      const { disk } = start()
      const file = disk.open('f')
      file.append([Buffer.from('abcdef')])
      const seen = file.read(0, 6)
      file.truncate(2)
      file.append([Buffer.from('XYZW')])
      expect(seen.toString()).toBe('abcdef')
      expect(file.read(0, 9).toString()).toBe('abXYZW')
    })

    it('does not keep the memory of what was appended', () => {
      const { disk } = start()
      const file = disk.open('f')
      const bytes = Buffer.from('abc')
      file.append([bytes])
      bytes.fill(0)
      expect(file.read(0, 3).toString()).toBe('abc')
    })

    it('shows one content through all handles and keeps it after close', () => {
      const { disk } = start()
      const one = disk.open('f')
      const two = disk.open('f')
      one.append([Buffer.from('abc')])
      expect(two.size()).toBe(3)
      two.append([Buffer.from('d')])
      one.close()
      expect(two.read(0, 9).toString()).toBe('abcd')
      two.close()
      expect(disk.open('f').read(0, 9).toString()).toBe('abcd')
    })

    it('refuses a closed file with EBADF and closes twice in peace', () => {
      const { disk } = start()
      const file = disk.open('f')
      file.close()
      file.close()
      expect(codeOf(() => file.size())).toBe('EBADF')
      expect(codeOf(() => file.append([Buffer.from('a')]))).toBe('EBADF')
      expect(codeOf(() => file.read(0, 1))).toBe('EBADF')
      expect(codeOf(() => file.truncate(0))).toBe('EBADF')
      expect(codeOf(() => file.fsync(() => {}))).toBe('EBADF')
    })

    it('answers fsync later, in the order asked, even of a file closed meanwhile', async () => {
      const { disk, until } = start()
      const file = disk.open('f')
      const answers: [number, DiskErrorCode | null][] = []
      file.append([Buffer.from('abc')])
      for (const number of [1, 2, 3]) file.fsync((error) => answers.push([number, error]))
      expect(answers).toEqual([])
      file.close()
      await until(() => answers.length === 3)
      expect(answers.every(([, error]) => error === null)).toBe(true)
      expect(disk.open('f').size()).toBe(3)
    })

    it('lists names sorted by code unit', () => {
      const { disk } = start()
      for (const path of ['d/b', 'd/a', 'd/B', 'd/10', 'd/9', 'd/sub/x']) disk.open(path).close()
      expect(disk.list('d')).toEqual(['10', '9', 'B', 'a', 'b', 'sub'])
      expect(disk.list('')).toEqual(['d'])
      expect(disk.list('missing')).toEqual([])
    })

    it('replaces the target of a rename; handles follow their file', () => {
      const { disk } = start()
      const source = disk.open('new')
      const target = disk.open('old')
      source.append([Buffer.from('new')])
      target.append([Buffer.from('old')])
      disk.rename('new', 'old')
      expect(disk.list('')).toEqual(['old'])
      expect(disk.open('old').read(0, 9).toString()).toBe('new')
      source.append([Buffer.from('er')])
      expect(disk.open('old').read(0, 9).toString()).toBe('newer')
      expect(target.read(0, 9).toString()).toBe('old')
    })

    it('renames a directory with open files in it', () => {
      const { disk } = start()
      const file = disk.open('topic-0/log')
      disk.rename('topic-0', 'topic-0-delete')
      file.append([Buffer.from('x')])
      expect(disk.exists('topic-0')).toBe(false)
      expect(disk.open('topic-0-delete/log').size()).toBe(1)
      expect(disk.open('topic-0/log').size()).toBe(0)
    })

    it('removes files and whole directories, and forgives what is missing', () => {
      const { disk } = start()
      const file = disk.open('d/e/f')
      file.append([Buffer.from('abc')])
      disk.remove('d')
      disk.remove('d')
      disk.remove('never/there')
      expect(disk.exists('d')).toBe(false)
      expect(file.read(0, 3).toString()).toBe('abc')
      expect(disk.open('d/e/f').size()).toBe(0)
    })

    it('syncs a directory, and says ENOENT for a missing one', async () => {
      const { disk, until } = start()
      disk.makeDirectory('d/e')
      disk.makeDirectory('d/e')
      const answers: (DiskErrorCode | null)[] = []
      disk.syncDirectory('d', (error) => answers.push(error))
      disk.syncDirectory('', (error) => answers.push(error))
      disk.syncDirectory('missing', (error) => answers.push(error))
      expect(answers).toEqual([])
      await until(() => answers.length === 3)
      expect(answers.filter((error) => error === 'ENOENT')).toHaveLength(1)
      expect(answers.filter((error) => error === null)).toHaveLength(2)
    })

    it('fails with a code for what cannot be', () => {
      const { disk } = start()
      disk.open('file').close()
      disk.makeDirectory('directory')
      expect(codeOf(() => disk.rename('missing', 'x'))).toBe('ENOENT')
      expect(codeOf(() => disk.open('directory'))).toBe('EIO')
      expect(codeOf(() => disk.open('file/below'))).toBe('EIO')
      expect(codeOf(() => disk.list('file'))).toBe('EIO')
    })

    it.each(['../x', '/etc/passwd', 'a/../../x', 'a//b', './a', 'a\0b'])(
      'takes the path %j for a mistake',
      (path) => {
        const { disk } = start()
        expect(() => disk.open(path)).toThrow('illegal disk path')
        expect(() => disk.exists(path)).toThrow('illegal disk path')
        expect(() => disk.remove(path)).toThrow('illegal disk path')
      },
    )

    it('never removes its root and never grows a file by truncation', () => {
      const { disk } = start()
      expect(() => disk.remove('')).toThrow('root')
      const file = disk.open('f')
      expect(() => file.truncate(1)).toThrow('truncate to 1 of 0')
      expect(() => file.truncate(-1)).toThrow('truncate to -1 of 0')
      expect(() => file.read(-1, 1)).toThrow('read of 1 bytes at -1')
    })
  })
}

/** What each `Store` does alike. */
export function describeStore(name: string, create: () => StoreHarness): void {
  describe(`${name} as a store`, () => {
    const start = harnesses(create)

    it('shows a put and a delete at once', () => {
      const { store } = start()
      expect(store.get('a')).toBeUndefined()
      store.put('a', 1)
      store.put('a', { term: 7, votedFor: null })
      expect(store.get('a')).toEqual({ term: 7, votedFor: null })
      store.delete('a')
      store.delete('a')
      expect(store.get('a')).toBeUndefined()
      expect(store.keys('')).toEqual([])
    })

    it('carries plain data and bytes', () => {
      const { store } = start()
      const value = {
        bytes: Buffer.from([1, 2, 255]),
        list: [1, -1, 2 ** 52, 0.5, 'text', true, null],
        nested: { deep: { er: '' } },
      }
      store.put('v', value)
      expect(store.get('v')).toEqual(value)
      expect((store.get('v') as typeof value).bytes).toBeInstanceOf(Buffer)
      store.put('zero', 0)
      store.put('null', null)
      expect([store.get('zero'), store.get('null')]).toEqual([0, null])
    })

    it('keeps a value as it was when put', () => {
      const { store } = start()
      const value = { list: [1] }
      store.put('v', value)
      value.list.push(2)
      expect(store.get('v')).toEqual({ list: [1] })
    })

    it('finds keys by prefix, sorted by code unit', () => {
      const { store } = start()
      for (const key of ['hw/b', 'hw/B', 'hw/a', 'hx', 'h']) store.put(key, 1)
      expect(store.keys('hw/')).toEqual(['hw/B', 'hw/a', 'hw/b'])
      expect(store.keys('h')).toHaveLength(5)
      expect(store.keys('z')).toEqual([])
    })

    it('answers a sync later, with and without changes before it', async () => {
      const { store, until } = start()
      const answers: (Error | null)[] = []
      store.sync((error) => answers.push(error))
      store.put('a', 1)
      store.sync((error) => answers.push(error))
      expect(answers).toEqual([])
      await until(() => answers.length === 2)
      expect(answers).toEqual([null, null])
    })

    it('refuses to store undefined', () => {
      expect(() => start().store.put('a', undefined)).toThrow('without a value')
    })

    it('closes twice in peace', () => {
      const { store } = start()
      store.put('a', 1)
      store.close()
      store.close()
    })
  })
}

/** What each `Clock` does alike. */
export function describeClock(name: string, create: () => ClockHarness): void {
  describe(`${name} as a clock`, () => {
    const start = harnesses(create)

    it('runs timers in order of their time, later than asked and never early', async () => {
      const { clock, until } = start()
      const ran: string[] = []
      const early: string[] = []
      const set = (delayMs: number, tag: string): void => {
        const dueMs = clock.monoMs() + delayMs
        clock.after(delayMs, tag, () => {
          ran.push(tag)
          if (clock.monoMs() < dueMs) early.push(tag)
        })
      }
      set(30, 'third')
      set(0, 'first')
      set(7.5, 'second')
      expect(ran).toEqual([])
      await until(() => ran.length === 3)
      expect(ran).toEqual(['first', 'second', 'third'])
      expect(early).toEqual([])
    })

    it('never runs a cancelled timer, nor one of infinite delay', async () => {
      const { clock, until } = start()
      const ran: string[] = []
      const now = clock.after(0, 'now', () => ran.push('now'))
      const soon = clock.after(1, 'soon', () => ran.push('soon'))
      const never = clock.after(Infinity, 'never', () => ran.push('never'))
      const far = clock.after(2 ** 40, 'far', () => ran.push('far'))
      clock.cancel(now)
      clock.cancel(soon)
      clock.after(5, 'end', () => ran.push('end'))
      await until(() => ran.includes('end'))
      expect(ran).toEqual(['end'])
      for (const timer of [now, soon, never, far]) clock.cancel(timer)
    })

    it('may be told to cancel a timer that has run, even from inside it', async () => {
      const { clock, until } = start()
      let runs = 0
      const timer = clock.after(0, 'once', () => {
        runs += 1
        clock.cancel(timer)
      })
      await until(() => runs > 0)
      clock.cancel(timer)
      expect(runs).toBe(1)
    })

    it('gives whole wall milliseconds and refuses a negative delay', () => {
      const { clock } = start()
      expect(Number.isInteger(clock.wallMs())).toBe(true)
      expect(() => clock.after(-1, 'past', () => {})).toThrow('past: a delay of -1 ms')
    })
  })
}

/** What each `Random` does alike. */
export function describeRandom(name: string, create: () => Random): void {
  describe(`${name} as randomness`, () => {
    it('draws words, numbers below a limit and bytes', () => {
      const random = create()
      const words = Array.from({ length: 3000 }, () => random.u32())
      expect(words.every((word) => Number.isInteger(word) && word >= 0 && word < 2 ** 32)).toBe(
        true,
      )
      expect(new Set(words).size).toBeGreaterThan(2990)
      const dice = Array.from({ length: 6000 }, () => random.below(6))
      for (let face = 0; face < 6; face += 1) {
        expect(dice.filter((drawn) => drawn === face).length).toBeGreaterThan(800)
      }
      expect(random.below(1)).toBe(0)
      expect(random.below(2 ** 32)).toBeLessThan(2 ** 32)
      expect(random.bytes(7)).toHaveLength(7)
      expect(random.bytes(0)).toHaveLength(0)
      expect(random.bytes(16).equals(random.bytes(16))).toBe(false)
    })

    it('forks streams of their own', () => {
      const random = create()
      const one = random.fork('a')
      const two = random.fork('b')
      expect(one.bytes(16).equals(two.bytes(16))).toBe(false)
    })

    it.each([0, -1, 1.5, 2 ** 32 + 1, NaN])('refuses the limit %s', (limit) => {
      expect(() => create().below(limit)).toThrow('limit')
    })
  })
}

/** The code of the `DiskError` that `action` throws. */
export function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof DiskError) return error.code
    throw error
  }
  throw new Error('nothing was thrown')
}
