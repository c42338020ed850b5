import { describe, expect, it } from 'vitest'
import { parseBrokerConfig } from '../../../../broker/config.ts'
import { LogDirectories } from '../../../../broker/replica/log-directories.ts'
import { LogRemovals } from '../../../../broker/replica/log-removals.ts'
import { FolderDisk } from '../../../../src/sim/folder-disk.ts'
import { SimWorld } from '../../../../src/sim/sim-world.ts'

const DELETED = /^t-0\.[0-9a-f]{32}-delete$/

function setUp(properties: Readonly<Record<string, string>> = {}) {
  const world = new SimWorld({ seed: 3 })
  const node = world.node('n')
  const failed: string[] = []
  const create = () => {
    const { clock, disk, events, random } = node.ports
    const opened = {
      id: 'DirectoryAAAAAAAAAAAAA',
      disk: new FolderDisk(disk, 'a'),
      isCleanStart: true,
    }
    const directories = new LogDirectories([{ path: 'a', opened }], events)
    const config = parseBrokerConfig({
      'process.roles': 'broker',
      'node.id': '1',
      'controller.listener.names': 'CONTROLLER',
      ...properties,
    })
    const removals = new LogRemovals({
      config,
      clock,
      random,
      directories,
      step: (fn) => fn(),
      onDirectoryFailure: ({ path }) => failed.push(path),
    })
    return { removals, directory: directories.all[0]! }
  }
  const names = (): readonly string[] => node.disk.tree.list('a')
  return { world, node, create, names, failed }
}

describe('LogRemovals', () => {
  it('frees the name at once and removes the log after the delay', () => {
    const { world, create, names } = setUp({ 'log.segment.delete.delay.ms': '5000' })
    const { removals, directory } = create()
    directory.disk.makeDirectory('t-0')
    const folder = removals.setAside(directory, 't-0')
    removals.removeLater(directory, folder)
    expect(names()).toEqual([expect.stringMatching(DELETED)])
    directory.disk.makeDirectory('t-0')
    world.runFor(4999)
    expect(names()).toHaveLength(2)
    world.runFor(2)
    expect(names()).toEqual(['t-0'])
  })

  it('renames the files of segments that a log removes, and removes all others at once', () => {
    const { world, create, node } = setUp({ 'log.segment.delete.delay.ms': '5000' })
    const { removals, directory } = create()
    const disk = removals.diskFor(directory)
    const segment = ['log', 'index', 'timeindex'].map((kind) => `t-0/${'0'.repeat(20)}.${kind}`)
    const names = (): readonly string[] => node.disk.tree.list('a/t-0')
    for (const path of [...segment, 't-0/leader-epoch-checkpoint']) disk.open(path).close()
    for (const path of [...segment, 't-0/leader-epoch-checkpoint', 't-0/none.log']) {
      disk.remove(path)
    }
    expect(names()).toEqual(
      ['index', 'log', 'timeindex'].map((kind) => `${'0'.repeat(20)}.${kind}.deleted`),
    )
    world.runFor(3000)
    disk.open(segment[0]!).close()
    disk.remove(segment[0]!)
    world.runFor(1999)
    expect(names()).toHaveLength(3)
    world.runFor(2)
    expect(names()).toEqual([])
  })

  it('leaves the rest to the next start', () => {
    const { world, node, create, names } = setUp()
    const first = create()
    first.directory.disk.makeDirectory('t-0')
    first.removals.removeLater(first.directory, first.removals.setAside(first.directory, 't-0'))
    first.removals.close()
    world.runFor(120_000)
    expect(names()).toHaveLength(1)
    node.crash()
    node.restart()
    const { removals, directory } = create()
    directory.disk.makeDirectory('t-0-delete')
    directory.disk.makeDirectory('t-1')
    removals.removeLeftOvers()
    expect(names()).toEqual(['t-0-delete', 't-1'])
  })

  it('takes a directory for failed in which nothing can be removed', () => {
    const { world, node, create, failed } = setUp({ 'log.segment.delete.delay.ms': '0' })
    const { removals, directory } = create()
    directory.disk.makeDirectory('t-0')
    removals.removeLater(directory, removals.setAside(directory, 't-0'))
    node.disk.failFolder('a')
    world.runFor(10)
    expect(failed).toEqual(['a'])
  })
})
