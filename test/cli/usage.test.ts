import { describe, expect, it } from 'vitest'
import { kafkette } from '../support/cli-process.ts'

const WRONG: readonly (readonly [string, string, RegExp])[] = [
  ['an unknown command', 'strat', /unknown command 'strat'\n\(Did you mean start\?\)/],
  [
    'an unknown option',
    'start --brokrs 3',
    /unknown option '--brokrs'\n\(Did you mean --brokers\?\)/,
  ],
  ['an extra argument', 'start now', /too many arguments for 'start'/],
  [
    'a number that is none',
    'start -b three',
    /argument 'three' is invalid. expected a whole number/,
  ],
  ['no broker', 'start -b 0', /"brokers" must be a whole number from 1 to 100, not 0/],
  ['a port out of range', 'start -p 65535 -b 2', /"port" must be a whole number from 0 to 65534/],
  ['an unknown isolation', 'start -i thread', /Allowed choices are inline, process/],
  ['a setting without value', 'start -s num.partitions', /expected name=value/],
  [
    'an unknown setting',
    'start -s num.partition=3',
    /^kafkette: Unknown broker setting "num.partition" \(did you mean "num.partitions"\?\)\n$/,
  ],
  [
    'a bad value of a setting',
    'start -s num.partitions=many',
    /^kafkette: Invalid value many for configuration num.partitions: Not a number of type INT\n$/,
  ],
  ["a setting that is not the user's", 'start -s node.id=7', /"node.id" is chosen by the cluster/],
]

describe('kafkette', () => {
  it.each(WRONG)('answers %s with exit code 2 and a line about it', async (_, line, message) => {
    const { code, stdout, stderr } = await kafkette(...line.split(' ')).end()
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(message)
  })

  it('shows every command in its help and every option in the help of a command', async () => {
    const [all, start, connect, version] = await Promise.all([
      kafkette('--help').end(),
      kafkette('start', '--help').end(),
      kafkette('connect-standalone', '--help').end(),
      kafkette('--version').end(),
    ])
    expect([all.code, start.code, connect.code, version.code]).toEqual([0, 0, 0, 0])
    expect(all.stdout).toMatch(/start .*\n(.*\n)*.*connect-standalone/)
    for (const option of ['brokers', 'port', 'data-dir', 'isolation', 'set', 'json']) {
      expect(start.stdout).toContain(`--${option}`)
    }
    expect(connect.stdout).toMatch(/properties/)
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it("shows the help of Kafka's tools by help NAME too", async () => {
    const [topics, cluster] = await Promise.all([
      kafkette('help', 'topics').end(),
      kafkette('help', 'cluster').end(),
    ])
    expect([topics.code, cluster.code]).toEqual([0, 0])
    expect(topics.stdout).toMatch(/^This tool helps to create.*\nOption +Description\n/)
    expect(cluster.stdout).toMatch(/^usage: kafkette cluster /)
  })
})
