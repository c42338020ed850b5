import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import type { SourceMap, SourceRecord, SourceTask } from '../../../../connect/api.ts'
import { fileStreamSourcePlugin } from '../../../../connect/connectors/file-stream-source.ts'
import { LineCutter } from '../../../../connect/connectors/line-cutter.ts'

const directory = mkdtempSync(join(tmpdir(), 'kafkette-file-source-'))
afterAll(() => rmSync(directory, { recursive: true }))

let files = 0
function newFile(): string {
  files += 1
  return join(directory, `file-${files}.txt`)
}

/** A task whose waits end at once and are counted. */
class Driver {
  readonly warnings: string[] = []
  readonly abort = new AbortController()
  waits = 0
  onWait: () => void = () => undefined
  readonly task: SourceTask
  readonly #settings: Record<string, string>
  readonly #offset: SourceMap | null

  constructor(settings: Record<string, string>, offset: SourceMap | null = null) {
    const connector = fileStreamSourcePlugin.create()
    this.#settings = { topic: 't', ...settings }
    this.#offset = offset
    this.task = connector.createTask()
  }

  async start(): Promise<this> {
    await this.task.start(this.#settings, {
      connector: 'c',
      task: 0,
      signal: this.abort.signal,
      nowMs: () => 5,
      sleep: () => {
        this.waits += 1
        this.onWait()
        return Promise.resolve()
      },
      warn: (message) => this.warnings.push(message),
      offset: () => this.#offset,
    })
    return this
  }

  async poll(): Promise<readonly SourceRecord[] | null> {
    return await this.task.poll()
  }

  async lines(): Promise<readonly unknown[] | null> {
    return (await this.poll())?.map(({ value }) => value) ?? null
  }
}

async function started(
  settings: Record<string, string>,
  offset: SourceMap | null = null,
): Promise<Driver> {
  return await new Driver(settings, offset).start()
}

describe('FileStreamSource', () => {
  it('makes a record of each line, with the position after it', async () => {
    const file = newFile()
    writeFileSync(file, 'one\n\nthree\r\nfour\rfive')
    const driver = await started({ file })
    const records = (await driver.poll())!
    expect(records.map(({ value }) => value)).toEqual(['one', '', 'three', 'four'])
    expect(records.map(({ sourceOffset }) => sourceOffset.position)).toEqual([4, 5, 12, 17])
    expect(records[0]).toMatchObject({
      sourcePartition: { filename: file },
      topic: 't',
      key: null,
      keySchema: null,
      kafkaPartition: null,
      timestampMs: 5,
      valueSchema: { type: 'STRING', isOptional: false },
    })
    await driver.task.stop()
  })

  it('gives a last line only once its end is there', async () => {
    const file = newFile()
    writeFileSync(file, 'begun')
    const driver = await started({ file })
    expect(await driver.lines()).toBeNull()
    expect(await driver.lines()).toBeNull()
    expect(driver.waits).toBe(1)
    appendFileSync(file, ' and ended\r')
    expect(await driver.lines()).toBeNull()
    appendFileSync(file, '\nnext\n')
    expect(await driver.lines()).toEqual(['begun and ended', 'next'])
    await driver.task.stop()
  })

  it('follows a file that grows', async () => {
    const file = newFile()
    writeFileSync(file, '')
    const driver = await started({ file })
    const seen: unknown[] = []
    for (let round = 0; round < 20; round += 1) {
      appendFileSync(file, `line ${round}\n`)
      seen.push(...((await driver.lines()) ?? []))
    }
    expect(seen).toEqual(Array.from({ length: 20 }, (_each, round) => `line ${round}`))
    await driver.task.stop()
  })

  it('goes on at the stored byte, whatever the letters', async () => {
    const file = newFile()
    const lines = ['grün', '日本語', '🙂 and more', 'end']
    writeFileSync(file, `${lines.join('\n')}\n`)
    const first = await started({ file, 'batch.size': '2' })
    const records = (await first.poll())!
    await first.task.stop()
    const second = await started({ file }, records.at(-1)!.sourceOffset)
    expect(await second.lines()).toEqual(lines.slice(2))
    await second.task.stop()
  })

  it('gives no more than batch.size records a poll and keeps none back', async () => {
    const file = newFile()
    writeFileSync(file, Array.from({ length: 5000 }, (_each, at) => `${at}\n`).join(''))
    const driver = await started({ file, 'batch.size': '2000' })
    const sizes = [await driver.lines(), await driver.lines(), await driver.lines()]
    expect(sizes.map((each) => each?.length)).toEqual([2000, 2000, 1000])
    expect(driver.waits).toBe(0)
    expect(await driver.lines()).toBeNull()
    expect(driver.waits).toBe(1)
    await driver.task.stop()
  })

  it('waits for a file that is not there, and says so', async () => {
    const file = newFile()
    const driver = await started({ file })
    expect(await driver.lines()).toBeNull()
    expect(driver.warnings[0]).toContain(`couldn't open file ${file}`)
    expect(driver.waits).toBe(1)
    writeFileSync(file, 'here\n')
    expect(await driver.lines()).toEqual(['here'])
    await driver.task.stop()
    const onDirectory = await started({ file: directory })
    expect(await onDirectory.lines()).toBeNull()
    expect(onDirectory.warnings[0]).toContain('directory')
  })

  it('refuses a stored position that is no number', async () => {
    const file = newFile()
    writeFileSync(file, 'x\n')
    for (const position of ['7', -1, 1.5, true]) {
      const driver = await started({ file }, { position })
      await expect(driver.poll()).rejects.toThrow('Offset position is the incorrect type')
      await driver.task.stop()
    }
    const unset = await started({ file }, { position: null })
    expect(await unset.lines()).toEqual(['x'])
    await unset.task.stop()
  })

  it('stays where it is when the stored position is beyond the end', async () => {
    const file = newFile()
    writeFileSync(file, 'short\n')
    const driver = await started({ file }, { position: 100 })
    expect(await driver.lines()).toBeNull()
    await driver.task.stop()
  })

  it('makes one task, whatever tasks.max says', async () => {
    const connector = fileStreamSourcePlugin.create()
    await connector.start!({ file: 'f', topic: 't' }, null!)
    expect(connector.taskConfigs(5)).toEqual([{ file: 'f', topic: 't' }])
  })

  it('needs a topic', () => {
    expect(() => fileStreamSourcePlugin.config.parse({ file: 'f' })).toThrow('topic')
    expect(() => fileStreamSourcePlugin.config.parse({ topic: '' })).toThrow('topic')
  })
})

describe('cutting lines', () => {
  const text = fc.array(fc.constantFrom('a', 'ü', '\n', '\r', '\r\n', '🙂', 'bc'), {
    maxLength: 60,
  })

  it('does not depend on where the bytes were cut', () => {
    fc.assert(
      fc.property(
        text,
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
        (parts, cuts) => {
          const bytes = Buffer.from(parts.join(''))
          const cutter = new LineCutter(10)
          const lines: string[] = []
          const ends: number[] = []
          for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
            const size = cuts[turn % cuts.length]!
            expect(cutter.readPosition).toBe(10 + at)
            cutter.add(Buffer.from(bytes.subarray(at, at + size)))
            at += size
            for (let line = cutter.next(); line !== null; line = cutter.next()) {
              lines.push(line)
              ends.push(cutter.position)
            }
          }
          const whole = parts.join('')
          const expected = whole.split(/\r\n|\r|\n/).slice(0, -1)
          if (whole.endsWith('\r')) expected.pop()
          expect(lines).toEqual(expected)
          // Every position is one to go on from.
          const resumed = ends.map((end) => bytes.subarray(end - 10).toString())
          for (const [index, rest] of resumed.entries()) {
            expect(
              rest
                .split(/\r\n|\r|\n/)
                .slice(0, -1)
                .slice(0, lines.length - index - 1),
            ).toEqual(lines.slice(index + 1))
          }
        },
      ),
      { numRuns: 500 },
    )
  })

  it('takes a long line in time that grows with its length only', () => {
    const cutter = new LineCutter(0)
    const chunk = Buffer.alloc(65_536, 'x')
    for (let turn = 0; turn < 500; turn += 1) {
      cutter.add(chunk)
      expect(cutter.next()).toBeNull()
    }
    cutter.add(Buffer.from('\n'))
    expect(cutter.next()!.length).toBe(500 * 65_536)
  })
})
