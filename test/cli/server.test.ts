import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findFreePort } from '../../src/real/free-port.ts'
import { apiVersionsApi } from '../../src/wire/messages/18-api-versions.ts'
import { kafkette, type CliProcess } from '../support/cli-process.ts'
import { ask } from '../support/raw-client.ts'
import { clientOf, CLUSTER_ID, format, ServerFolder, startServer } from '../support/server-files.ts'
import type { ServerFile } from '../support/server-files.ts'

const READY = /^ready {2}node (\d+) \(([\w, ]+)\) of cluster (\S+) in \d+ ms$/m

describe('kafkette server', () => {
  it('runs three combined nodes that survive a kill -9 and a restart of one', async () => {
    using folder = new ServerFolder()
    const files = await folder.combined(3)
    await using one = await startServer(files[0]!)
    await using two = await startServer(files[1]!)
    await using three = await startServer(files[2]!)
    for (const server of [one, two, three]) {
      expect((await server.text(READY))[3]).toBe(CLUSTER_ID)
    }
    const client = clientOf(files)
    await client.admin().createTopics([{ name: 't', partitions: 3, replicationFactor: 3 }])
    const producer = client.producer()
    await producer.send({ topic: 't', partition: 0, value: 'before' })
    three.kill('SIGKILL')
    await three.end()
    await producer.send({ topic: 't', partition: 0, value: 'without' })
    await using again = await startServer(files[2]!)
    await again.text(READY)
    await producer.send({ topic: 't', partition: 0, value: 'after' })
    expect(await valuesOf(files, 3)).toEqual(['before', 'without', 'after'])
    await client.close()
    for (const server of [again, two, one]) await stopped(server)
  })

  it('runs one controller and two brokers, each alone, and a broker that asks who the voters are', async () => {
    using folder = new ServerFolder()
    const controllerPort = await findFreePort('127.0.0.1')
    const controller = folder.write(1, controllerPort, {
      'process.roles': 'controller',
      'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
      listeners: `CONTROLLER://127.0.0.1:${controllerPort}`,
    })
    const brokerOf = async (id: number, quorum: string): Promise<ServerFile> => {
      const port = await findFreePort('127.0.0.1')
      const [name = '', value = ''] = quorum.split('=')
      return folder.write(id, port, {
        'process.roles': 'broker',
        [name]: value,
        listeners: `PLAINTEXT://127.0.0.1:${port}`,
      })
    }
    const static_ = await brokerOf(2, `controller.quorum.voters=1@127.0.0.1:${controllerPort}`)
    const asking = await brokerOf(
      3,
      `controller.quorum.bootstrap.servers=127.0.0.1:${controllerPort}`,
    )
    await using third = await startServer(asking)
    await using second = await startServer(static_)
    await using first = await startServer(controller)
    expect((await first.text(READY))[2]).toBe('controller')
    expect((await second.text(READY))[2]).toBe('broker')
    expect((await third.text(READY))[2]).toBe('broker')
    const client = clientOf([static_, asking])
    await client.admin().createTopics([{ name: 't', partitions: 1, replicationFactor: 2 }])
    await client.producer().send({ topic: 't', value: 'x' })
    await client.close()
    await stopped(third)
    await stopped(second)
    await stopped(first)
  })

  it('starts from the file of Kafka 4, after format --standalone, and says so as JSON', async () => {
    using folder = new ServerFolder()
    const port = await findFreePort('127.0.0.1')
    const controllerPort = await findFreePort('127.0.0.1')
    const file = folder.write(1, port, {
      'process.roles': 'broker,controller',
      'controller.quorum.bootstrap.servers': `localhost:${controllerPort}`,
      listeners: `PLAINTEXT://:${port},CONTROLLER://:${controllerPort}`,
      'inter.broker.listener.name': 'PLAINTEXT',
      'advertised.listeners': `PLAINTEXT://localhost:${port},CONTROLLER://localhost:${controllerPort}`,
    })
    expect((await format(file, '--standalone')).code).toBe(0)
    await using server = kafkette('server', file.path, '--json', '--override', 'num.partitions=7')
    const [line] = await server.text(/^\{.*\}$/m)
    expect(JSON.parse(line)).toMatchObject({
      nodeId: 1,
      clusterId: CLUSTER_ID,
      roles: ['broker', 'controller'],
      pid: server.pid,
      bootstrapServers: `localhost:${port}`,
      logDir: file.directory,
    })
    const client = clientOf([file])
    const [created] = await client.admin().createTopics([{ name: 'seven' }])
    expect(created).toMatchObject({ partitions: 7 })
    await client.close()
    server.kill('SIGTERM')
    const { code, stdout } = await server.end()
    expect([code, stdout]).toEqual([0, `${line}\n`])
    expect(existsSync(join(file.directory, '.kafka_cleanshutdown'))).toBe(true)
  })

  it('ends at once at the second signal', async () => {
    using folder = new ServerFolder()
    const [file] = await folder.combined(1)
    await using server = await startServer(file!)
    await server.text(READY)
    server.kill('SIGINT')
    server.kill('SIGTERM')
    const { code, stdout } = await server.end()
    // The first one may have been carried out to its end before the second one came.
    expect([0, 130]).toContain(code)
    expect(code === 0).toBe(stdout.includes('stopped'))
  })

  it('warns about unknown settings with the nearest that exists', async () => {
    using folder = new ServerFolder()
    const [file] = await folder.combined(1, {
      'broker.session.timout.ms': '1',
      'listener.name.plaintext.x': '1',
    })
    await using server = await startServer(file!)
    await server.text(READY)
    expect(server.stderr).toBe(
      'warning: unknown setting "broker.session.timout.ms" (did you mean "broker.session.timeout.ms"?)\n',
    )
    await stopped(server)
  })

  it('refuses an unformatted directory with the way to format it', async () => {
    using folder = new ServerFolder()
    const [file] = await folder.combined(1)
    const { code, stdout, stderr } = await kafkette('server', file!.path).end()
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toBe(
      `error: No readable meta.properties files found in ${file!.directory}. Format it first: ` +
        'kafkette storage format -t "$(kafkette storage random-uuid)" -c FILE (the same id on every node)\n',
    )
    expect(existsSync(file!.directory)).toBe(false)
  })

  it('refuses a directory of another node, a locked one, and one that is a file', async () => {
    using folder = new ServerFolder()
    const [file, other] = await folder.combined(2)
    await format(file!)
    const swapped = kafkette('server', other!.path, '--override', `log.dirs=${file!.directory}`)
    expect(await swapped.end()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("Stored node id 1 doesn't match previous node id 2 in"),
    })
    await using holder = await startServer(file!)
    await until(() => existsSync(join(file!.directory, '.kafkette.lock')))
    const locked = await kafkette('server', file!.path).end()
    expect([locked.code, locked.stderr]).toEqual([
      1,
      `error: data directory ${file!.directory} is in use by process ${holder.pid}; stop it or choose another directory\n`,
    ])
    const blocked = join(folder.path, 'a-file')
    writeFileSync(blocked, '')
    const onFile = kafkette('storage', 'format', '-t', CLUSTER_ID, '-c', file!.path)
    expect((await onFile.end()).code).toBe(1)
    const unusable = folder.write(9, 1, {
      'process.roles': 'broker',
      'controller.quorum.voters': '1@127.0.0.1:1',
      listeners: 'PLAINTEXT://127.0.0.1:1',
      'log.dirs': blocked,
    })
    expect(await format(unusable)).toMatchObject({
      code: 1,
      stdout: `I/O error trying to read log directory ${blocked}. Ignoring...\n`,
      stderr: 'No available log directories to format.\n',
    })
  })

  it('formats several log directories and uses them all', async () => {
    using folder = new ServerFolder()
    const paths = ['a', 'b', 'c'].map((name) => join(folder.path, name))
    const [a = '', b = '', c = ''] = paths
    const [file] = await folder.combined(1, { 'log.dirs': paths.join(','), 'metadata.log.dir': b })
    expect((await format(file!)).stdout.split('\n').filter((line) => line !== '')).toEqual([
      expect.stringContaining(`Formatting data directory ${a} with`),
      expect.stringContaining(`Formatting metadata directory ${b} with`),
      expect.stringContaining(`Formatting data directory ${c} with`),
    ])
    await using server = kafkette('server', file!.path)
    await server.text(READY)
    const client = clientOf([file!])
    await client.admin().createTopics([{ name: 't', partitions: 3, replicationFactor: 1 }])
    const described = await client.admin().logDirs.describe(1)
    expect(described.map(({ path, replicas }) => [path, replicas.length])).toEqual(
      paths.map((path) => [path, 1]),
    )
    await client.close()
    await stopped(server)
    expect(paths.map((path) => existsSync(join(path, '__cluster_metadata-0')))).toEqual([
      false,
      true,
      false,
    ])
    expect(paths.every((path) => existsSync(join(path, '.kafka_cleanshutdown')))).toBe(true)
    const meta = join(c, 'meta.properties')
    const text = readFileSync(meta, 'utf8')
    writeFileSync(meta, readFileSync(join(a, 'meta.properties')))
    const twice = await kafkette('server', file!.path).end()
    expect([twice.code, twice.stderr]).toEqual([
      1,
      expect.stringMatching(
        /^error: Duplicate directory ID \S+ found. It was the ID of \S+a, but also of \S+c\n$/,
      ),
    ])
    writeFileSync(meta, text.replace(/cluster.id=.*/, 'cluster.id=ZZZZZZZZZZZZZZZZZZZZZZ'))
    expect((await kafkette('server', file!.path).end()).stderr).toContain('Invalid cluster.id in')
    rmSync(c, { recursive: true })
    expect((await kafkette('server', file!.path).end()).stderr).toContain(
      `No readable meta.properties files found in ${c}`,
    )
    rmSync(b, { recursive: true })
    writeFileSync(b, '')
    expect((await kafkette('server', file!.path).end()).stderr).toBe(
      `error: Encountered I/O error in metadata log directory ${b}. Cannot continue.\n`,
    )
  })

  it('says that a port is in use', async () => {
    using folder = new ServerFolder()
    const [file] = await folder.combined(1)
    const blocker = createServer().listen(file!.port, '127.0.0.1')
    await using server = await startServer(file!)
    const { code, stderr } = await server.end()
    blocker.close()
    expect([code, stderr]).toEqual([
      1,
      `error: port ${file!.port} of 127.0.0.1 is in use by another program (EADDRINUSE)\n`,
    ])
  })

  it.each([
    [
      'num.partitions=0',
      'Invalid value 0 for configuration num.partitions: Value must be at least 1',
    ],
    ['node.id=x', 'Invalid value x for configuration node.id: Not a number of type INT'],
    ['broker.id=7', 'You must set `node.id` to the same value as `broker.id`.'],
    [
      'controller.quorum.voters=2@h:1',
      "If process.roles contains the 'controller' role, the node id 1 must be included in the set of voters " +
        'controller.quorum.voters=Set(2)',
    ],
    ['nothing', '--override: expected property=value, not "nothing"'],
  ])('refuses --override %s in one line', async (override, message) => {
    using folder = new ServerFolder()
    const [file] = await folder.combined(1)
    const ended = await kafkette('server', file!.path, '--override', override).end()
    expect(ended).toMatchObject({ code: 1, stdout: '', stderr: `error: ${message}\n` })
  })
})

describe('kafkette storage', () => {
  it('formats, refuses to do it again, and tells what is there', async () => {
    using folder = new ServerFolder()
    const [file] = await folder.combined(1)
    const { directory } = file!
    const info = (): ReturnType<CliProcess['end']> =>
      kafkette('storage', 'info', '-c', file!.path).end()
    expect(await info()).toMatchObject({
      code: 1,
      stdout: `Found problem:\n  ${directory} does not exist\n\n`,
    })
    mkdirSync(directory)
    expect((await info()).stdout).toBe(
      `Found log directory:\n  ${directory}\n\nFound problem:\n  ${directory} is not formatted.\n\n`,
    )
    expect(await format(file!)).toMatchObject({
      code: 0,
      stdout: `Formatting metadata directory ${directory} with metadata.version 4.3-IV0.\n`,
    })
    const meta = readFileSync(join(directory, 'meta.properties'), 'utf8')
    expect(meta).toMatch(
      new RegExp(
        `^#\\nversion=1\\ncluster.id=${CLUSTER_ID}\\nnode.id=1\\ndirectory.id=[\\w-]{22}\\n$`,
      ),
    )
    const [, directoryId] = /directory\.id=(.*)/.exec(meta)!
    expect(await info()).toMatchObject({
      code: 0,
      stdout:
        `Found log directory:\n  ${directory}\n\n` +
        `Found metadata: {cluster.id=${CLUSTER_ID}, directory.id=${directoryId}, node.id=1, version=1}\n\n`,
    })
    expect(await format(file!)).toMatchObject({
      code: 1,
      stderr:
        `Log directory ${directory} is already formatted. Use --ignore-formatted to ignore this directory and ` +
        'format the others.\n',
    })
    expect(await format(file!, '-g')).toMatchObject({
      code: 0,
      stdout: 'All of the log directories are already formatted.\n',
    })
    expect(readFileSync(join(directory, 'meta.properties'), 'utf8')).toBe(meta)
  })

  it('formats for feature levels that the cluster then has', async () => {
    using folder = new ServerFolder()
    const [file] = await folder.combined(1)
    expect((await format(file!, '--feature', 'transaction.version=1')).code).toBe(0)
    await using server = await startServer(file!)
    await server.text(READY)
    const { finalizedFeatures } = await ask(
      { host: '127.0.0.1', port: file!.port },
      apiVersionsApi,
      4,
      { clientSoftwareName: 'test', clientSoftwareVersion: '1' },
    )
    expect(finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel])).toEqual([
      ['metadata.version', 30],
      ['transaction.version', 1],
    ])
    await stopped(server)
  })

  it.each([
    [['--standalone'], 'You cannot specify controller.quorum.voters and format the node with'],
    [['--feature', 'kraft.version=1'], 'Cannot set kraft.version to 1 unless'],
    [['--feature', 'foo=1'], 'Unsupported feature: foo. Supported features are:'],
    [
      ['--feature', 'transaction.version=3'],
      'transaction.version=3 is not served by this version, the highest is transaction.version=2.',
    ],
    [
      ['--feature', 'group.version=1'],
      'group.version=1 is not served by this version, only group.version=0.',
    ],
    [['--release-version', '3.0'], "Unknown metadata.version '3.0'."],
    [['--add-scram', 'x'], 'SCRAM is not served'],
  ])('refuses %o', async (flags, message) => {
    using folder = new ServerFolder()
    const [file] = await folder.combined(1)
    const { code, stderr } = await format(file!, ...flags)
    expect(code).toBe(1)
    expect(stderr).toContain(message)
    expect(existsSync(file!.directory)).toBe(false)
  })

  it.each([
    [[], 'too few arguments'],
    [['foo'], "invalid choice: 'foo'"],
    [['info'], "required option '-c, --config <file>' not specified"],
    [['format', '-c', 'x'], "required option '-t, --cluster-id <id>' not specified"],
    [['info', '-c', '/nosuch'], 'cannot read /nosuch'],
  ])('ends %o with 1', async (args, message) => {
    const { code, stderr } = await kafkette('storage', ...args).end()
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)])
  })

  it('prints ids that differ', async () => {
    const [one, two] = await Promise.all([1, 2].map(() => kafkette('storage', 'random-uuid').end()))
    expect(one!.stdout).toMatch(/^[\w-]{22}\n$/)
    expect(one!.stdout).not.toBe(two!.stdout)
  })
})

async function stopped(server: CliProcess): Promise<void> {
  server.kill('SIGTERM')
  const { code, stdout } = await server.end()
  expect(code).toBe(0)
  expect(stdout.trimEnd().split('\n').slice(-2)).toEqual(['stopping (SIGTERM) ...', 'stopped'])
}

async function valuesOf(files: readonly ServerFile[], count: number): Promise<readonly string[]> {
  const client = clientOf(files)
  const consumer = client.consumer()
  const partition = { topic: 't', partition: 0 }
  consumer.assign([partition])
  consumer.seekToBeginning([partition])
  const values: string[] = []
  while (values.length < count) {
    for (const { value } of await consumer.poll(1000)) values.push(String(value))
  }
  await client.close()
  return values
}

/** A file of another process is no event of this one: it is looked for until it is there. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve))
}
