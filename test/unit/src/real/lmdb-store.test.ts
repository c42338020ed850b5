import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LmdbStore } from '../../../../src/real/lmdb-store.ts'

const STORE_MODULE = fileURLToPath(new URL('../../../../src/real/lmdb-store.ts', import.meta.url))

let directory = ''

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kafkette-'))
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

describe('a store in LMDB', () => {
  it('has after a reopening what was put before, synced or not', async () => {
    const path = join(directory, 'node', 'store')
    const first = LmdbStore.open(path)
    for (let index = 0; index < 500; index += 1) first.put(`key/${index}`, { index })
    first.put('bytes', Buffer.from('abc'))
    first.delete('key/7')
    first.close()
    await first.closed()
    const second = LmdbStore.open(path)
    expect(second.keys('key/')).toHaveLength(499)
    expect(second.get('key/499')).toEqual({ index: 499 })
    expect(second.get('key/7')).toBeUndefined()
    expect(second.get('bytes')).toEqual(Buffer.from('abc'))
    await second.closed()
  })

  it('has what was synced after a SIGKILL', async () => {
    const path = join(directory, 'store')
    const script = `
      import { LmdbStore } from ${JSON.stringify(STORE_MODULE)}
      const store = LmdbStore.open(${JSON.stringify(path)})
      store.put('vote', { term: 3, votedFor: 2 })
      store.sync(() => process.stdout.write('synced'))
      setInterval(() => {}, 1000)
    `
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script])
    const output = await new Promise<string>((resolve) => {
      child.stdout.once('data', (bytes: Buffer) => resolve(bytes.toString()))
      child.once('exit', () => resolve('exited'))
    })
    expect(output).toBe('synced')
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
    const store = LmdbStore.open(path)
    expect(store.get('vote')).toEqual({ term: 3, votedFor: 2 })
    await store.closed()
  })

  it('refuses changes once it is closed, and still answers a sync', async () => {
    const store = LmdbStore.open(directory)
    store.put('a', 1)
    const synced = new Promise((resolve) => store.sync(resolve))
    store.close()
    expect(() => store.put('a', 2)).toThrow('closed store')
    expect(() => store.delete('a')).toThrow('closed store')
    expect(store.get('a')).toBe(1)
    expect(await synced).toBeNull()
    await Promise.all([store.closed(), store.closed()])
  })

  it('says which store cannot be opened', () => {
    const path = join(directory, 'file')
    writeFileSync(path, 'not a directory')
    expect(() => LmdbStore.open(join(path, 'store'))).toThrow(`the store ${path}`)
  })
})
