import { describe, expect, it } from 'vitest'
import { TimeoutError } from '../../../../src/base/errors.ts'
import { ConnectionError } from '../../../../src/base/errors.ts'
import { KafkaError } from '../../../../src/client/index.ts'
import { deleteRecordsTool } from '../../../../src/cli/commands/delete-records.ts'
import { topicsTool } from '../../../../src/cli/commands/topics.ts'
import { causeText, executionMessage, named, ToolError } from '../../../../src/cli/tool-errors.ts'
import { runLine } from '../../../support/tool-run.ts'

describe('runTool', () => {
  it('prints its help to standard error and ends with 1, asked or not, as Kafka does', async () => {
    for (const line of ['', '--help', '--help --nope=1 --version'.replace(' --nope=1', '')]) {
      const { code, out, err } = await runLine(deleteRecordsTool, line)
      expect([code, out]).toEqual([1, ''])
      expect(err).toMatch(/^This tool helps to delete records .*\nOption +Description\n/)
    }
    const { err } = await runLine(topicsTool, '')
    expect(err).toMatch(/^Create, delete, describe, or change a topic\.\n/)
  })

  it('prints its version and ends with 0', async () => {
    expect(await runLine(topicsTool, '--version')).toMatchObject({ code: 0, err: '' })
  })

  it('prints what is missing with its help', async () => {
    const { code, err } = await runLine(deleteRecordsTool, '--bootstrap-server a:1')
    expect(code).toBe(1)
    expect(err).toMatch(/^Missing required argument "\[offset-json-file\]"\nOption /)
  })

  it('tells a wrong option, a missing file and a wrong address in a line each', async () => {
    expect(await runLine(deleteRecordsTool, '--nope')).toEqual({
      code: 1,
      out: '',
      err: 'nope is not a recognized option\n',
    })
    const line = '--list --bootstrap-server a:1 --command-config /no/such/file'
    expect((await runLine(topicsTool, line)).err).toBe('/no/such/file\n')
    expect((await runLine(topicsTool, '--list --bootstrap-server nohost')).err).toBe(
      'Failed to create new KafkaAdminClient\n' +
        'Caused by: bootstrap.servers has "nohost", expected host:port\n',
    )
  })
})

describe('errors of tools', () => {
  it('carry the class that Kafka names', () => {
    expect(causeText(new KafkaError(36, 'there'))).toBe(
      'org.apache.kafka.common.errors.TopicExistsException: there',
    )
    expect(executionMessage(new KafkaError(3))).toMatch(
      /^org\.apache\.kafka\.common\.errors\.UnknownTopicOrPartitionException: /,
    )
    expect(executionMessage(new ToolError('plain'))).toBe('plain')
  })

  it('name a request that nobody could be asked', async () => {
    const late = new TimeoutError('ours')
    late.cause = new ConnectionError('no route')
    const error = await named('listTopics', Promise.reject(late)).catch((each: unknown) => each)
    expect(executionMessage(error as Error)).toBe(
      'org.apache.kafka.common.errors.TimeoutException: Timed out waiting for a node assignment. Call: listTopics',
    )
    expect((error as Error).cause).toBe(late)
    await expect(named('x', Promise.reject(new KafkaError(36)))).rejects.toMatchObject({
      errorCode: 36,
    })
    expect(await named('x', Promise.resolve(7))).toBe(7)
  })
})
