import { describe, expect, it } from 'vitest'
import type { Client } from '../../src/client/index.ts'
import { kafkette, type Ended } from '../support/cli-process.ts'
import { clientOf, ServerFolder, startServer, type ServerFile } from '../support/server-files.ts'

const READY = /^ready/m

describe('console-producer and console-consumer', () => {
  it('carry lines from standard input to standard output, with keys, headers and nulls', async () => {
    using folder = new ServerFolder()
    const [file] = await folder.combined(1)
    await using server = await startServer(file!)
    await server.text(READY)
    const produced = await produce(
      file!,
      'h:1\tk\tv\nx:NIL\tNIL\tNIL\nlast:2\ta\tb',
      ...['parse.key=true', 'parse.headers=true', 'null.marker=NIL'].flatMap((entry) => [
        '--reader-property',
        entry,
      ]),
    )
    expect(produced).toMatchObject({ code: 0, stdout: '', stderr: '' })
    const columns = ['key', 'headers', 'offset', 'partition'].flatMap((name) => [
      '--formatter-property',
      `print.${name}=true`,
    ])
    const shown = await consume(file!, '--from-beginning', '--max-messages', '3', ...columns)
    expect(shown).toMatchObject({
      code: 0,
      stdout:
        'Partition:0\tOffset:0\th:1\tk\tv\nPartition:0\tOffset:1\tx:null\tnull\tnull\n' +
        'Partition:0\tOffset:2\tlast:2\ta\tb\n',
      stderr: 'Processed a total of 3 messages\n',
    })
    const part = await consume(file!, '--partition', '0', '--offset', '2', '--timeout-ms', '500')
    expect(part).toMatchObject({
      code: 0,
      stdout: 'b\n',
      stderr:
        'Error processing message, terminating consumer process: ' +
        'org.apache.kafka.common.errors.TimeoutException\nProcessed a total of 1 messages\n',
    })
  })

  it('stop at Ctrl-C, say how much it was, and commit only what was shown', async () => {
    using folder = new ServerFolder()
    const [file] = await folder.combined(1)
    await using server = await startServer(file!)
    await server.text(READY)
    await produce(file!, 'one\ntwo\nthree\n')
    const first = await consume(file!, '--from-beginning', '--group', 'g', '--max-messages', '1')
    expect(first.stdout).toBe('one\n')
    await using second = consumer(file!, '--group', 'g')
    await second.text(/three\n/)
    second.kill('SIGINT')
    expect(await second.end()).toMatchObject({
      code: 130,
      stdout: 'two\nthree\n',
      stderr: 'Processed a total of 2 messages\n',
    })
  })

  it('send what was read before Ctrl-C, and tell records that were refused', async () => {
    using folder = new ServerFolder()
    const [file] = await folder.combined(1)
    await using server = await startServer(file!)
    await server.text(READY)
    const client = clientOf([file!])
    await client.admin().createTopics([{ name: 't', configs: { 'max.message.bytes': '200' } }])
    await using producer = kafkette(
      'console-producer',
      '--bootstrap-server',
      `127.0.0.1:${file!.port}`,
      '--topic',
      't',
      '--timeout',
      '0',
    )
    producer.child.stdin.write(`${'x'.repeat(300)}\n`)
    await producer.text(/Error when sending message/, 'stderr')
    producer.child.stdin.write('small\nno end')
    await until(client, 1)
    await client.close()
    producer.kill('SIGINT')
    const { code, stderr } = await producer.end()
    expect(code).toBe(130)
    expect(stderr).toMatch(
      /^Error when sending message to topic t with key: null, value: 300 bytes with error: .+\n$/,
    )
    const shown = await consume(file!, '--from-beginning', '--max-messages', '1')
    expect(shown.stdout).toBe('small\n')
  })

  it('end with 1 and a line when nothing can be reached', async () => {
    const sent = kafkette(
      'console-producer',
      '--bootstrap-server=127.0.0.1:1',
      '--topic=t',
      '--sync',
      '--max-block-ms=300',
    )
    sent.child.stdin.end('x\n')
    expect(await sent.end()).toMatchObject({ code: 1, stdout: '' })
  })
})

/** The topic has so many records. */
async function until(client: Client, count: number): Promise<void> {
  const consumer = client.consumer()
  const partition = { topic: 't', partition: 0 }
  for (;;) {
    const ends = await consumer.endOffsets([partition])
    if ((ends.get('t-0') ?? 0) >= count) return
  }
}

function produce(file: ServerFile, input: string, ...args: readonly string[]): Promise<Ended> {
  const process_ = kafkette(
    'console-producer',
    '--bootstrap-server',
    `127.0.0.1:${file.port}`,
    '--topic',
    't',
    ...args,
  )
  process_.child.stdin.end(input)
  return process_.end()
}

function consumer(file: ServerFile, ...args: readonly string[]): ReturnType<typeof kafkette> {
  return kafkette(
    'console-consumer',
    '--bootstrap-server',
    `127.0.0.1:${file.port}`,
    '--topic',
    't',
    ...args,
  )
}

function consume(file: ServerFile, ...args: readonly string[]): Promise<Ended> {
  return consumer(file, ...args).end()
}
