// Goal: kill() is the SIGKILL of a node inside a process. Method: have everything under way, kill, let all of it come due.
import { describe, expect, it } from 'vitest'
import type { NodePorts } from '../../../../src/ports/ports.ts'
import { LoopbackNetwork } from '../../../../src/real/loopback-network.ts'
import { MemoryDisk } from '../../../../src/real/memory-disk.ts'
import { MemoryStore } from '../../../../src/real/memory-store.ts'
import { NodeClock } from '../../../../src/real/node-clock.ts'
import { NodeRandom } from '../../../../src/real/node-random.ts'
import { ScopedPorts } from '../../../../src/real/scoped-ports.ts'
import { connectTo, listenOn } from '../../../support/network-contract.ts'
import { untilInEventLoop as until } from '../../../support/port-contracts.ts'

interface Cluster {
  readonly ports: NodePorts
  readonly events: string[]
}

function startCluster(): Cluster {
  const events: string[] = []
  return {
    events,
    ports: {
      clock: new NodeClock({ unref: true }),
      network: new LoopbackNetwork(),
      disk: new MemoryDisk(),
      store: new MemoryStore(),
      random: new NodeRandom(),
      events: { emit: (kind) => events.push(kind) },
    },
  }
}

function harnessOf(server: NodePorts, client: NodePorts) {
  return {
    server: server.network,
    client: client.network,
    host: 'loopback',
    until,
    dispose: () => {},
  }
}

describe('killed ports', () => {
  it('run no timer, no disk, no store and no network callback any more', async () => {
    const cluster = startCluster()
    const scope = new ScopedPorts(cluster.ports)
    const { clock, disk, store, network, events } = scope.ports
    const ran: string[] = []
    clock.after(0, 'now', () => ran.push('timer'))
    clock.after(2, 'soon', () => ran.push('timer'))
    disk.open('f').fsync(() => ran.push('fsync'))
    disk.syncDirectory('', () => ran.push('directory'))
    store.sync(() => ran.push('sync'))
    network.listen(
      { host: 'loopback', port: 9 },
      () => expect.fail(),
      () => ran.push('listen'),
    )
    network.connect(
      { host: 'loopback', port: 8 },
      {
        onData: () => ran.push('data'),
        onClose: () => ran.push('close'),
      },
    )
    events.emit('before', {})
    scope.kill()
    scope.kill()
    events.emit('after', {})
    clock.after(0, 'later', () => ran.push('later'))
    store.sync(() => ran.push('later sync'))
    network.listen(
      { host: 'loopback', port: 7 },
      () => expect.fail(),
      () => ran.push('later'),
    )
    const dead = network.connect(
      { host: 'loopback', port: 7 },
      {
        onData: () => ran.push('later'),
        onClose: () => ran.push('later'),
      },
    )
    expect(dead.write([Buffer.from('x')])).toBe(false)
    let isDue = false
    cluster.ports.clock.after(10, 'due', () => {
      isDue = true
    })
    await until(() => isDue)
    expect(ran).toEqual([])
    expect(cluster.events).toEqual(['before'])
    await listenOn(harnessOf(cluster.ports, cluster.ports), 9)
  })

  it('reset the connections both of the server and of the client role', async () => {
    const cluster = startCluster()
    const scope = new ScopedPorts(cluster.ports)
    const peer = new ScopedPorts(cluster.ports)
    const incoming = await listenOn(harnessOf(scope.ports, peer.ports))
    const outgoing = await listenOn(harnessOf(peer.ports, scope.ports))
    const toScope = connectTo(peer.ports.network, incoming.listener.address)
    const fromScope = connectTo(scope.ports.network, outgoing.listener.address)
    await until(() => toScope.opens + fromScope.opens === 2)
    fromScope.connection!.write([Buffer.from('x')])
    scope.kill()
    await until(() => toScope.closes.length + outgoing.accepted[0]!.closes.length === 2)
    expect(toScope.closes[0]?.message).toContain('ECONNRESET')
    expect(outgoing.accepted[0]!.closes[0]?.message).toContain('ECONNRESET')
    expect(incoming.accepted[0]!.closes).toEqual([])
    expect(fromScope.closes).toEqual([])
    const again = connectTo(peer.ports.network, incoming.listener.address)
    await until(() => again.closes.length === 1)
    expect(again.closes[0]?.message).toContain('ECONNREFUSED')
    await listenOn(harnessOf(peer.ports, peer.ports), incoming.listener.address.port)
  })

  it('leave disk and store to the next life', () => {
    const cluster = startCluster()
    const scope = new ScopedPorts(cluster.ports)
    const file = scope.ports.disk.open('log')
    file.append([Buffer.from('abc')])
    scope.ports.store.put('term', 3)
    scope.ports.store.close()
    scope.kill()
    expect(() => file.append([Buffer.from('d')])).toThrow('killed node')
    expect(() => file.read(0, 1)).toThrow('killed node')
    expect(() => scope.ports.disk.remove('log')).toThrow('killed node')
    expect(() => scope.ports.store.put('term', 4)).toThrow('killed node')
    file.close()
    const next = new ScopedPorts(cluster.ports).ports
    expect(next.disk.open('log').read(0, 9).toString()).toBe('abc')
    expect(next.store.get('term')).toBe(3)
  })

  it('may be killed by one of their own callbacks; the rest of that step has no effect', async () => {
    const cluster = startCluster()
    const scope = new ScopedPorts(cluster.ports)
    let wasRun = false
    scope.ports.clock.after(0, 'suicide', () => {
      wasRun = true
      scope.kill()
      scope.ports.disk.open('f').append([Buffer.from('never')])
    })
    await until(() => wasRun)
    expect(cluster.ports.disk.list('')).toEqual([])
    expect(scope.isAlive).toBe(false)
  })

  it('pass an error of a living node on', () => {
    const cluster = startCluster()
    const queue: (() => void)[] = []
    const store = new MemoryStore({ defer: (fn) => void queue.push(fn) })
    const scope = new ScopedPorts({ ...cluster.ports, store })
    scope.ports.store.sync(() => {
      throw new Error('a bug')
    })
    expect(() => queue[0]!()).toThrow('a bug')
  })
})
