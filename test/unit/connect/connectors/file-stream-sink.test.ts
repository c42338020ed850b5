import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { SinkRecord, SinkTask, SinkTaskContext } from '../../../../connect/api.ts'
import { fileStreamSinkPlugin } from '../../../../connect/connectors/file-stream-sink.ts'
import { INT32_SCHEMA, structSchema } from '../../../../connect/data/schema.ts'
import { Struct } from '../../../../connect/data/struct.ts'
import type { Value } from '../../../../connect/data/value.ts'

const directory = mkdtempSync(join(tmpdir(), 'kafkette-file-sink-'))
afterAll(() => rmSync(directory, { recursive: true }))

/** The sink asks nothing of its worker. */
const NO_CONTEXT = null as unknown as SinkTaskContext

function record(value: Value): SinkRecord {
  return {
    topic: 't',
    kafkaPartition: 0,
    keySchema: null,
    key: null,
    valueSchema: null,
    value,
    timestampMs: null,
    headers: [],
    originalTopic: 't',
    originalPartition: 0,
    offset: 0,
    timestampType: 'CreateTime',
  }
}

async function startedTask(file: string): Promise<SinkTask> {
  const task = fileStreamSinkPlugin.create().createTask()
  await task.start({ file }, NO_CONTEXT)
  return task
}

describe('FileStreamSink', () => {
  it('appends a line a record, as text', async () => {
    const file = join(directory, 'a.txt')
    writeFileSync(file, 'kept\n')
    const task = await startedTask(file)
    const struct = new Struct(structSchema({ a: INT32_SCHEMA }), { a: 1 })
    await task.put([record('grün'), record(null), record(struct), record(new Map([['k', 1]]))])
    await task.put([])
    await task.flush!([])
    await task.put([record('last')])
    expect(readFileSync(file, 'utf8')).toBe('kept\ngrün\nnull\nStruct{a=1}\n{k=1}\nlast\n')
    await task.stop()
  })

  it('writes batches of any size in order', async () => {
    const file = join(directory, 'large.txt')
    const task = await startedTask(file)
    const lines = Array.from({ length: 3000 }, (_each, at) => `${at}:${'x'.repeat(1000)}`)
    await task.put(lines.map(record))
    await task.stop()
    expect(readFileSync(file, 'utf8')).toBe(`${lines.join('\n')}\n`)
  })

  it('lets all its tasks write to one file', async () => {
    const connector = fileStreamSinkPlugin.create()
    await connector.start!({ file: 'f' }, null!)
    expect(connector.taskConfigs(2)).toEqual([{ file: 'f' }, { file: 'f' }])
  })

  it('fails with one line when the file cannot be opened', async () => {
    const file = join(directory, 'missing', 'a.txt')
    await expect(startedTask(file)).rejects.toThrow(`Couldn't find or create file '${file}'`)
  })
})
