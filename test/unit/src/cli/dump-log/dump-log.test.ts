// Goal: dump-log prints what Apache Kafka's own tool prints. Method: files that Kafka 4.3.1 wrote, and its output of
// them, are kept as vectors; `ROOT` in them is the folder of the files.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dumpLogTool } from '../../../../../src/cli/commands/dump-log.ts'
import { runPlainTool } from '../../../../../src/cli/kafka-tool.ts'

interface Vectors {
  readonly files: Readonly<Record<string, string>>
  readonly runs: readonly {
    readonly args: readonly string[]
    readonly stdout: string
    readonly stderr: string
  }[]
}

const { files, runs } = JSON.parse(
  readFileSync(new URL('../../../../vectors/dump-log/apache-4.3.1.json', import.meta.url), 'utf8'),
) as Vectors
const ZERO = '0'.repeat(20)

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kafkette-dump-'))
  for (const [name, content] of Object.entries(files)) write(name, Buffer.from(content, 'base64'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function write(name: string, content: Buffer): void {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}

/** Runs the tool as if inside the folder. */
async function dump(
  args: readonly string[],
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const out: string[] = []
  const err: string[] = []
  const there = args.map((arg) =>
    /\.\w+$/.test(arg) && !arg.startsWith('org.')
      ? arg
          .split(',')
          .map((name) => join(folder, name))
          .join(',')
      : arg,
  )
  const io = { out: (line: string) => out.push(line), err: (line: string) => err.push(line) }
  const code = await runPlainTool(dumpLogTool, there, io)
  const text = (lines: readonly string[]): string =>
    lines.map((line) => `${line.replaceAll(`${folder}/`, '')}\n`).join('')
  return { code, stdout: text(out), stderr: text(err) }
}

describe('dump-log', () => {
  it.each(runs)('prints of $args what Kafka prints', async ({ args, stdout, stderr }) => {
    const ended = await dump(args)
    expect(ended.code).toBe(0)
    expect(ended.stdout.split('\n')).toEqual(stdout.split('\n'))
    expect(ended.stderr).toBe(stderr.replaceAll('ROOT/', ''))
  })

  it('says that a batch was changed, and goes on', async () => {
    const bytes = Buffer.from(files[`txn/${ZERO}.log`]!, 'base64')
    bytes[80]! ^= 1
    write(`changed/${ZERO}.log`, bytes)
    const { stdout } = await dump(['--files', `changed/${ZERO}.log`])
    const found = [...stdout.matchAll(/isvalid: (\w+)/g)].map(([, valid]) => valid)
    expect(found).toEqual(['false', 'true', 'true', 'true', 'true', 'true'])
  })

  it('tells offsets that do not follow each other', async () => {
    const bytes = Buffer.from(files[`txn/${ZERO}.log`]!, 'base64')
    write(`gap/${ZERO}.log`, Buffer.concat([bytes.subarray(0, 112), bytes.subarray(190)]))
    const { stderr } = await dump(['--deep-iteration', '--files', `gap/${ZERO}.log`])
    expect(stderr).toBe(`Non-consecutive offsets in gap/${ZERO}.log\n  1 is followed by 3\n`)
  })

  it.each([
    [['--files', `nosuch/${ZERO}.log`], `no such file: nosuch/${ZERO}.log\n`],
    [['--files', 'nosuch/x.log'], 'For input string: "x"\n'],
    [['--nosuch'], 'nosuch is not a recognized option\n'],
    [['--files'], 'Option files requires an argument\n'],
    [['--print-data-log', '--value-decoder-class', 'foo', '--files', `${ZERO}.log`], 'foo\n'],
  ])('ends with 1 and a line for %o', async (args, message) => {
    expect(await dump(args)).toMatchObject({ code: 1, stderr: message })
  })

  it('shows its help without arguments, and what is missing', async () => {
    expect((await dump([])).stderr).toMatch(/^This tool helps to parse a log file[\s\S]*--files </)
    expect((await dump(['--print-data-log'])).stderr).toMatch(
      /^Missing required argument "\[files\]"\n/,
    )
  })
})
