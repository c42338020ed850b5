import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { OffsetFile } from '../../../../connect/main/offset-file.ts'
import { ConnectError } from '../../../../connect/errors.ts'

const directory = mkdtempSync(join(tmpdir(), 'kafkette-offsets-'))
afterAll(() => rmSync(directory, { recursive: true }))

async function opened(path: string): Promise<OffsetFile> {
  const file = new OffsetFile(path)
  await file.open()
  return file
}

describe('the offset file', () => {
  it('gives back in the next life what was written', async () => {
    const path = join(directory, 'a.offsets')
    const first = await opened(path)
    expect(first.read('c', { filename: 'f' })).toBeNull()
    await first.write([
      { connector: 'c', partition: { filename: 'f' }, offset: { position: 12 } },
      { connector: 'c', partition: { filename: null }, offset: { position: null } },
      { connector: 'd', partition: { filename: 'f' }, offset: { seqno: 9_007_199_254_740_993n } },
    ])
    await first.close()
    const second = await opened(path)
    expect(second.read('c', { filename: 'f' })).toEqual({ position: 12 })
    expect(second.read('c', { filename: null })).toEqual({ position: null })
    expect(second.read('d', { filename: 'f' })).toEqual({ seqno: 9_007_199_254_740_993n })
    await second.write([{ connector: 'c', partition: { filename: 'f' }, offset: null }])
    const third = await opened(path)
    expect(third.read('c', { filename: 'f' })).toBeNull()
    expect(third.read('d', { filename: 'f' })).not.toBeNull()
  })

  it('writes in order and leaves nothing else behind', async () => {
    mkdirSync(join(directory, 'alone'))
    const path = join(directory, 'alone', 'b.offsets')
    const file = await opened(path)
    const offsets = Array.from({ length: 20 }, (_each, position) => ({ position }))
    await Promise.all(
      offsets.map((offset) => file.write([{ connector: 'c', partition: {}, offset }])),
    )
    expect((await opened(path)).read('c', {})).toEqual({ position: 19 })
    expect(readdirSync(join(directory, 'alone'))).toEqual(['b.offsets'])
  })

  it('takes an empty file as no offsets, and follows a link', async () => {
    const target = join(directory, 'target.offsets')
    const link = join(directory, 'link.offsets')
    writeFileSync(target, '')
    symlinkSync(target, link)
    const file = await opened(link)
    await file.write([{ connector: 'c', partition: {}, offset: { position: 1 } }])
    expect(readFileSync(target, 'utf8')).toContain('"position":1')
  })

  it('refuses the file of a Java worker and leaves it alone', async () => {
    const path = join(directory, 'java.offsets')
    const bytes = Buffer.from('aced00057372', 'hex')
    writeFileSync(path, bytes)
    await expect(opened(path)).rejects.toThrow('written by a Java worker')
    expect(readFileSync(path)).toEqual(bytes)
  })

  it('refuses whatever else is no offset file of its own', async () => {
    const path = join(directory, 'odd.offsets')
    const head = '"format":"kafkette-connect-offsets","version":1'
    for (const text of [
      'text',
      '{}',
      '[]',
      '{"format":"kafkette-connect-offsets","version":2,"offsets":[]}',
      `{${head},"offsets":[{"connector":1,"partition":{},"offset":{}}]}`,
      `{${head},"offsets":[{"connector":"c","partition":{"a":[]},"offset":{}}]}`,
      `{${head},"offsets":[{"connector":"c","partition":{}}]}`,
    ]) {
      writeFileSync(path, text)
      await expect(opened(path)).rejects.toThrow(ConnectError)
      await expect(opened(path)).rejects.toThrow(path)
    }
  })

  it('refuses a device, a directory and a path in no directory before anything runs', async () => {
    for (const path of ['/dev/null', directory, join(directory, 'none', 'x.offsets')]) {
      await expect(opened(path)).rejects.toThrow('cannot be used')
    }
  })
})
