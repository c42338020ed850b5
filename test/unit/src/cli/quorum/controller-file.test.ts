import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { controllerOf } from '../../../../../src/cli/quorum/controller-file.ts'

const directory = mkdtempSync(join(tmpdir(), 'kafkette-controller-'))
const VALID = {
  'node.id': '4',
  'process.roles': 'broker,controller',
  'log.dirs': `${directory},/other`,
  listeners: 'PLAINTEXT://:9092,CONTROLLER://:9093',
  'advertised.listeners': 'PLAINTEXT://h:9092',
  'controller.listener.names': 'CONTROLLER',
}
const IS_VALID = 'Is this a valid controller configuration file?'

afterAll(() => rmSync(directory, { recursive: true }))

describe('the file of a new controller', () => {
  it('says who it is and where', () => {
    writeFileSync(join(directory, 'meta.properties'), 'directory.id=ePaQUaZiBS1bKasppq8iNw\n')
    expect(controllerOf(VALID)).toEqual({
      id: 4,
      directoryId: 'ePaQUaZiBS1bKasppq8iNw',
      endpoints: [{ name: 'CONTROLLER', host: 'localhost', port: 9093 }],
    })
    const advertised = { ...VALID, 'advertised.listeners': 'CONTROLLER://[::1]:19093' }
    expect(controllerOf(advertised).endpoints).toEqual([
      { name: 'CONTROLLER', host: '::1', port: 19_093 },
    ])
  })

  it.each([
    [{ 'node.id': undefined }, `node.id not found in configuration file. ${IS_VALID}`],
    [{ 'node.id': '-1' }, `node.id was negative in configuration file. ${IS_VALID}`],
    [
      { 'process.roles': 'broker' },
      `process.roles did not contain 'controller' in configuration file. ${IS_VALID}`,
    ],
    [{ 'log.dirs': undefined }, `Neither metadata.log.dir nor log.dirs were found. ${IS_VALID}`],
    [{ 'metadata.log.dir': '/no/such' }, 'Unable to read meta.properties from /no/such'],
    [
      { 'controller.listener.names': 'OTHER' },
      'Cannot find information about controller listener name: OTHER',
    ],
  ])('is refused with %o', (change, message) => {
    const entries = Object.entries({ ...VALID, ...change }).filter(
      ([, value]) => value !== undefined,
    )
    const properties = Object.fromEntries(entries) as Record<string, string>
    expect(() => controllerOf(properties)).toThrow(message)
  })
})
