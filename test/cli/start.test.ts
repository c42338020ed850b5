// The command line as its users run it: a process of its own, straight from the sources.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../../scenarios/lib/until.ts'
import { findFreePort } from '../../src/real/free-port.ts'
import { type CliProcess, isAlive, kafkette } from '../support/cli-process.ts'

interface ReadyLine {
  readonly bootstrapServers: string
  readonly brokers: readonly { id: number; host: string; port: number; pid: number }[]
  readonly pids: readonly number[]
}

const directories: string[] = []

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'test-cli-'))
  directories.push(path)
  return path
}

afterEach(() => {
  for (const path of directories.splice(0)) rmSync(path, { recursive: true, force: true })
})

async function readyLine(cli: CliProcess): Promise<ReadyLine> {
  const [line] = await cli.text(/^.*\n/)
  return JSON.parse(line) as ReadyLine
}

async function allGone(pids: readonly number[]): Promise<void> {
  await until({ what: `the end of ${pids.join(', ')}`, timeoutMs: 10_000 }, () => {
    return !pids.some(isAlive)
  })
}

/** The directory that a cluster without --data-dir uses, from its banner. */
async function dataDirOf(cli: CliProcess): Promise<string> {
  return (await cli.text(/data in (.+)\n/))[1]!
}

describe('kafkette start --json', () => {
  it('prints one line when ready and ends with all its processes when standard input closes', async () => {
    await using cli = kafkette('start', '-b', '3', '-p', '0', '-i', 'process', '--json')
    const ready = await readyLine(cli)
    expect(ready.brokers.map(({ id }) => id)).toEqual([1, 2, 3])
    expect(ready.pids).toEqual(ready.brokers.map(({ pid }) => pid))
    expect(new Set(ready.pids).size).toBe(3)
    expect(ready.bootstrapServers).toBe(
      ready.brokers.map(({ host, port }) => `${host}:${port}`).join(','),
    )
    const kafka = new Kafka({
      brokers: ready.bootstrapServers.split(','),
      logLevel: logLevel.NOTHING,
    })
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({ topic: 'made-by-a-producer', messages: [{ value: 'v' }] })
    await producer.disconnect()
    cli.child.stdin.end()
    const { code, stdout, stderr } = await cli.end()
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.split('\n')).toHaveLength(2)
    expect(ready.pids.filter(isAlive)).toEqual([])
  })

  it('gives the one process of inline brokers', async () => {
    await using cli = kafkette('start', '-b', '2', '-p', '0', '--json')
    const ready = await readyLine(cli)
    expect(ready.pids).toEqual([cli.pid])
    cli.child.stdin.end()
    expect(await cli.end()).toMatchObject({ code: 0, stderr: '' })
  })

  it('gives up a start when standard input closes meanwhile', async () => {
    await using cli = kafkette('start', '-b', '3', '-p', '0', '-i', 'process', '--json')
    cli.child.stdin.end()
    expect(await cli.end()).toMatchObject({ code: 0, stdout: '', stderr: '' })
  })
})

describe('the end of kafkette start', () => {
  it('tells of a broker that dies, goes on, and ends with 1 when none is left', async () => {
    await using cli = kafkette('start', '-b', '2', '-p', '0', '-i', 'process', '--json')
    const { pids } = await readyLine(cli)
    process.kill(pids[0]!, 'SIGKILL')
    await cli.text(/^broker-1 died: its process ended with signal SIGKILL$/m, 'stderr')
    expect(isAlive(cli.pid)).toBe(true)
    process.kill(pids[1]!, 'SIGKILL')
    const { code, stderr } = await cli.end()
    expect(code).toBe(1)
    expect(stderr).toMatch(/^broker-2 died: .*\nkafkette: every broker has died\n/m)
  })

  it('takes its broker processes and temporary data with it when it is killed', async () => {
    await using cli = kafkette('start', '-b', '3', '-p', '0', '-i', 'process')
    await cli.text(/Ctrl-C stops it/)
    const dataDir = await dataDirOf(cli)
    const pids = [...cli.stdout.matchAll(/pid (\d+)/g)].map((hit) => Number(hit[1]))
    expect(pids).toHaveLength(3)
    cli.kill('SIGKILL')
    await allGone(pids)
    expect(existsSync(dataDir)).toBe(false)
  })

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'stops in order and removes temporary data on %s',
    async (signal) => {
      await using cli = kafkette('start', '-p', '0')
      await cli.text(/Ctrl-C stops it/)
      const dataDir = await dataDirOf(cli)
      expect(existsSync(dataDir)).toBe(true)
      cli.kill(signal)
      const { code, stdout, stderr } = await cli.end()
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toMatch(new RegExp(`stopping \\(${signal}\\) ...\nstopped\n$`))
      expect(existsSync(dataDir)).toBe(false)
    },
  )

  it('ends at once on a second Ctrl-C, and leaves no process and no data', async () => {
    await using cli = kafkette('start', '-b', '3', '-p', '0', '-i', 'process')
    await cli.text(/Ctrl-C stops it/)
    const dataDir = await dataDirOf(cli)
    const pids = [...cli.stdout.matchAll(/pid (\d+)/g)].map((hit) => Number(hit[1]))
    // A broker that does not answer keeps the orderly stop waiting.
    process.kill(pids[0]!, 'SIGSTOP')
    cli.kill('SIGINT')
    await cli.text(/stopping/)
    cli.kill('SIGINT')
    expect((await cli.end()).code).toBe(130)
    process.kill(pids[0]!, 'SIGCONT')
    await allGone(pids)
    expect(existsSync(dataDir)).toBe(false)
  })
})

describe('kafkette start --data-dir', () => {
  it('finds its topics again and refuses another number of brokers', async () => {
    const dataDir = directory()
    {
      await using cli = kafkette('start', '-b', '2', '-p', '0', '-d', dataDir, '--json')
      const { bootstrapServers } = await readyLine(cli)
      const admin = new Kafka({
        brokers: bootstrapServers.split(','),
        logLevel: logLevel.NOTHING,
      }).admin()
      await admin.connect()
      await admin.createTopics({ topics: [{ topic: 'kept', replicationFactor: 2 }] })
      await admin.disconnect()
      cli.child.stdin.end()
      expect(await cli.end()).toMatchObject({ code: 0 })
    }
    await using cli = kafkette(
      'start',
      '-b',
      '2',
      '-p',
      '0',
      '-d',
      dataDir,
      '-i',
      'process',
      '--json',
    )
    const { bootstrapServers } = await readyLine(cli)
    const admin = new Kafka({
      brokers: bootstrapServers.split(','),
      logLevel: logLevel.NOTHING,
    }).admin()
    await admin.connect()
    expect(await admin.listTopics()).toEqual(['kept'])
    await admin.disconnect()
    const busy = await kafkette('start', '-b', '2', '-p', '0', '-d', dataDir).end()
    expect(busy).toMatchObject({ code: 1, stdout: '' })
    expect(busy.stderr).toBe(
      `kafkette: data directory ${dataDir} is in use by process ${cli.pid}; ` +
        'stop it or choose another directory\n',
    )
    cli.child.stdin.end()
    await cli.end()
    const wrongCount = await kafkette('start', '-b', '3', '-p', '0', '-d', dataDir).end()
    expect(wrongCount).toMatchObject({ code: 2, stdout: '' })
    expect(wrongCount.stderr).toMatch(/holds a cluster of 2 brokers, not of 3; start 2 or/)
  })

  it('says in one line why it cannot be used', async () => {
    const base = directory()
    const file = join(base, 'file')
    writeFileSync(file, '')
    const [isFile, isBelow] = await Promise.all([
      kafkette('start', '-p', '0', '-d', file).end(),
      kafkette('start', '-p', '0', '-d', join(file, 'below')).end(),
    ])
    expect(isFile).toMatchObject({
      code: 1,
      stderr: `kafkette: cannot use data directory ${file}: it is a file\n`,
    })
    expect(isBelow.stderr).toMatch(/a part of its path is a file\n$/)
  })
})

describe('kafkette start --port', () => {
  const servers: Server[] = []
  afterEach(() => {
    for (const server of servers.splice(0)) server.close()
  })

  it.each(['inline', 'process'])('names a port that is taken (%s)', async (isolation) => {
    const port = await findFreePort()
    const server = createServer()
    servers.push(server)
    await new Promise<void>((resolve) => {
      server.listen(port, '127.0.0.1', resolve)
    })
    const dataDir = directory()
    const args = ['-b', '2', '-p', String(port - 1), '-i', isolation, '-d', dataDir]
    const { code, stdout, stderr } = await kafkette('start', ...args).end()
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe(
      `kafkette: broker 2 could not start: port ${port} of 127.0.0.1 is in use by another program (EADDRINUSE)\n`,
    )
    expect(existsSync(join(dataDir, '.kafkette.lock'))).toBe(false)
  })
})
