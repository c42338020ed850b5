import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readConnectorFile, readPropertiesFile } from '../../../../connect/main/properties-file.ts'

const directory = mkdtempSync(join(tmpdir(), 'kafkette-properties-'))
afterAll(() => rmSync(directory, { recursive: true }))

function file(content: string | Buffer): string {
  const path = join(directory, 'any.file')
  writeFileSync(path, content)
  return path
}

describe('a properties file', () => {
  it('is read as Java reads it', () => {
    const text = '# c\n! c\na=1\n b : 2 \nc 3\nd=x\\\n   y\ne=\\u00fc\nf=\na=last\ng=a=b\n'
    expect(readPropertiesFile(file(text))).toEqual({
      a: 'last',
      b: '2 ',
      c: '3',
      d: 'xy',
      e: 'ü',
      f: '',
      g: 'a=b',
    })
  })

  it('may be UTF-8 or ISO 8859-1', () => {
    expect(readPropertiesFile(file('a=ü'))).toEqual({ a: 'ü' })
    expect(readPropertiesFile(file(Buffer.from('a=ü', 'latin1')))).toEqual({ a: 'ü' })
  })

  it('that cannot be read is named', () => {
    expect(() => readPropertiesFile('/nowhere/at/all')).toThrow('cannot read /nowhere/at/all')
  })
})

describe('a connector file', () => {
  it('may be properties, a JSON object or a JSON request', () => {
    const expected = { name: 'c', 'tasks.max': '1', flag: 'true' }
    for (const text of [
      'name=c\ntasks.max=1\nflag=true\n',
      '{"name":"c","tasks.max":1,"flag":true}',
      '{"name":"c","config":{"tasks.max":"1","flag":"true"},"initial_state":"RUNNING","other":1}',
      '{"name":"c","config":{"name":"c","tasks.max":"1","flag":"true"}}',
    ]) {
      expect(readConnectorFile(file(text))).toEqual(expected)
    }
  })

  it('that is wrong JSON is refused with its name', () => {
    for (const [text, why] of [
      ['{"name":', 'any.file'],
      ['{"name":"c","list":[1]}', '"list" is object'],
      ['{"config":{"a":"b"}}', '"name" is missing'],
      ['{"name":"c","config":{"name":"d"}}', 'has the name "d"'],
      ['{"name":"c","config":{},"initial_state":"PAUSED"}', 'initial_state is "PAUSED"'],
    ] as const) {
      expect(() => readConnectorFile(file(text))).toThrow(why)
    }
  })
})
