import { describe, expect, it } from 'vitest'
import { lineFormat, linesOf, recordOfLine } from '../../../../../src/cli/console/line-reader.ts'
import type { ProducerRecord, Properties } from '../../../../../src/client/index.ts'

function record(line: string, properties: Properties): ProducerRecord {
  return recordOfLine(lineFormat(properties), 't', line, 3)
}

const KEY = { 'parse.key': 'true' }
const ALL = { ...KEY, 'parse.headers': ' TRUE ' }

describe('recordOfLine', () => {
  it('takes a whole line for the value unless it is told to look for more', () => {
    expect(record('a\tb', {})).toEqual({ topic: 't', key: null, value: 'a\tb', headers: [] })
    expect(record('a\tb\tc', KEY)).toMatchObject({ key: 'a', value: 'b\tc' })
    expect(record('', {})).toMatchObject({ key: null, value: '' })
  })

  it('reads headers, key and value, and separators of other lengths', () => {
    expect(record('h1:v1,h2:\tk\tv', ALL)).toEqual({
      topic: 't',
      key: 'k',
      value: 'v',
      headers: [
        { key: 'h1', value: 'v1' },
        { key: 'h2', value: '' },
      ],
    })
    const own = {
      ...ALL,
      'headers.delimiter': '||',
      'headers.separator': ';',
      'headers.key.separator': '=',
      'key.separator': '->',
    }
    expect(record('a=1;b=2||k->v', own)).toMatchObject({
      key: 'k',
      value: 'v',
      headers: [
        { key: 'a', value: '1' },
        { key: 'b', value: '2' },
      ],
    })
  })

  it('makes null of what equals the marker', () => {
    const marked = { ...ALL, 'null.marker': 'NIL' }
    expect(record('h:NIL\tNIL\tNIL', marked)).toMatchObject({
      key: null,
      value: null,
      headers: [{ key: 'h', value: null }],
    })
    expect(record('NIL\tk\tv', marked)).toMatchObject({ headers: [] })
  })

  it('says on which line a separator is missing, or lets it pass', () => {
    expect(() => record('ab', KEY)).toThrow("No key separator found on line number 3: 'ab'")
    expect(() => record('ab', ALL)).toThrow("No headers delimiter found on line number 3: 'ab'")
    expect(() => record('h\tk\tv', ALL)).toThrow(
      "No header key separator found in pair 'h' on line number 3",
    )
    const lax = { ...ALL, 'ignore.error': 'true' }
    expect(record('ab', lax)).toMatchObject({ key: null, value: 'ab', headers: [] })
    expect(record('h\tk\tv', lax)).toMatchObject({ headers: [{ key: 'h', value: null }] })
  })

  it('refuses separators that cannot be told apart', () => {
    expect(() => lineFormat({ 'headers.separator': '\t' })).toThrow(
      'headers.delimiter and headers.separator may not be equal',
    )
    expect(() => lineFormat({ 'null.marker': ':' })).toThrow(
      'null.marker and headers.key.separator may not be equal',
    )
  })
})

describe('linesOf', () => {
  it.each([
    [['a\nb\n'], ['a', 'b']],
    [['a\r\nb\rc'], ['a', 'b', 'c']],
    [
      ['a\r', '\nb\r', '\r', '\n'],
      ['a', 'b', ''],
    ],
    [['\n\n'], ['', '']],
    [['a\u2028b\n'], ['a\u2028b']],
    [[], []],
  ])('cuts %o at every kind of line end', async (chunks, lines) => {
    expect(await cut(chunks.map((chunk) => Buffer.from(chunk)))).toEqual(lines)
  })

  it('joins characters that come in two chunks', async () => {
    const bytes = Buffer.from('é\n')
    expect(await cut([bytes.subarray(0, 1), bytes.subarray(1)])).toEqual(['é'])
  })
})

async function cut(chunks: readonly Buffer[]): Promise<readonly string[]> {
  const lines: string[] = []
  const stream = (async function* () {
    yield* chunks
  })()
  for await (const line of linesOf(stream)) lines.push(line)
  return lines
}
