import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { LoopbackNetwork } from '../../../../src/real/loopback-network.ts'
import { NodeNetwork } from '../../../../src/real/node-network.ts'
import { connectTo, listenOn } from '../../../support/network-contract.ts'
import { untilInEventLoop as until } from '../../../support/port-contracts.ts'

const tcp = new NodeNetwork({ unref: true })
const harness = { server: tcp, client: tcp, host: '127.0.0.1', until, dispose: () => {} }

let open: (Server | Socket)[] = []

afterEach(() => {
  for (const handle of open) {
    if ('destroy' in handle) handle.destroy()
    else handle.close()
  }
  open = []
})

describe('a network of the machine', () => {
  it('says EADDRINUSE for a port that another program has', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    open.push(server)
    await until(() => server.listening)
    const { port } = server.address() as { port: number }
    await expect(listenOn(harness, port)).rejects.toThrow('EADDRINUSE')
  })

  it('says what is wrong with an address that cannot be bound', async () => {
    await expect(listenOn(harness, 70_000)).rejects.toThrow('70000')
    await expect(listenOn({ ...harness, host: '203.0.113.1' })).rejects.toThrow('203.0.113.1')
  })

  it('reports a host that does not exist as a failed connection', async () => {
    // No label of a name may be so long, so no name server is asked.
    const host = `${'x'.repeat(70)}.invalid`
    const client = connectTo(tcp, { host, port: 9092 })
    await until(() => client.closes.length === 1)
    expect(client.closes[0]?.message).toContain(`${host}:9092`)
  })

  it('survives a client that resets its connection amid a write', async () => {
    const { listener, accepted } = await listenOn(harness)
    const socket = connect(listener.address)
    open.push(socket)
    await until(() => accepted.length === 1)
    accepted[0]!.connection!.write([Buffer.alloc(8 * 1024 * 1024)])
    socket.resetAndDestroy()
    await until(() => accepted[0]!.closes.length === 1)
    expect(accepted[0]!.closes[0]).toBeInstanceOf(Error)
  })

  it('sends what one turn wrote as one piece', async () => {
    const { listener, accepted } = await listenOn(harness)
    const pieces: string[] = []
    const socket = connect(listener.address)
    open.push(socket)
    socket.on('data', (bytes) => pieces.push(bytes.toString()))
    await until(() => accepted.length === 1)
    for (const text of ['a', 'b', 'c']) {
      accepted[0]!.connection!.write([Buffer.from(text), Buffer.from(text)])
    }
    await until(() => pieces.length > 0)
    expect(pieces).toEqual(['aabbcc'])
  })

  it('gives up a peer that never ends its side', async () => {
    const { listener, accepted } = await listenOn(harness)
    const socket = connect({ ...listener.address, allowHalfOpen: true })
    open.push(socket)
    socket.resume()
    await until(() => accepted.length === 1)
    accepted[0]!.connection!.close()
    await until(() => accepted[0]!.closes.length === 1)
    expect(accepted[0]!.closes).toEqual([null])
  })

  it('closes a connection that is given up right after its end', async () => {
    const { listener, accepted } = await listenOn(harness)
    const socket = connect({ ...listener.address, allowHalfOpen: true })
    open.push(socket)
    // The end comes with a reset when it overtakes the last words.
    socket.on('error', () => undefined)
    await until(() => accepted.length === 1)
    const connection = accepted[0]!.connection!
    connection.write([Buffer.from('last words')])
    connection.close()
    connection.destroy()
    await until(() => accepted[0]!.closes.length === 1)
    expect(accepted[0]!.closes).toEqual([null])
  })
})

describe('a network inside the process', () => {
  it('is reached by TCP from outside and without sockets from inside', async () => {
    const network = new LoopbackNetwork({ inner: tcp })
    const { listener, accepted } = await listenOn({ ...harness, server: network })
    const socket = connect(listener.address)
    open.push(socket)
    await until(() => accepted.length === 1)
    const inside = connectTo(network, { host: 'localhost', port: listener.address.port })
    await until(() => inside.opens === 1)
    socket.write('by tcp')
    inside.connection!.write([Buffer.from('inside')])
    await until(() => accepted[0]!.text() === 'by tcp' && accepted[1]!.text() === 'inside')
    expect(accepted[1]!.connection!.remote.port).toBeGreaterThan(65_535)
  })

  it('leaves foreign addresses to the inner network', async () => {
    const { listener, accepted } = await listenOn(harness)
    const client = connectTo(new LoopbackNetwork({ inner: tcp }), listener.address)
    client.connection!.write([Buffer.from('x')])
    await until(() => accepted[0]?.text() === 'x')
    expect(client.connection!.local.port).toBeLessThan(65_536)
  })

  it('takes no shortcut when told so', async () => {
    const network = new LoopbackNetwork({ inner: tcp, shortcutsInner: false })
    const { listener } = await listenOn({ ...harness, server: network })
    const client = connectTo(network, listener.address)
    await until(() => client.opens === 1)
    expect(client.connection!.local.port).toBeLessThan(65_536)
  })

  it('refuses real addresses without an inner network', async () => {
    const network = new LoopbackNetwork()
    await expect(listenOn({ ...harness, server: network })).rejects.toThrow('EADDRNOTAVAIL')
    const client = connectTo(network, { host: '127.0.0.1', port: 9092 })
    await until(() => client.closes.length === 1)
    expect(client.closes[0]?.message).toContain('ECONNREFUSED')
  })

  it('hands over copies, all that one turn wrote at once', async () => {
    const network = new LoopbackNetwork()
    const { listener, accepted } = await listenOn({
      ...harness,
      server: network,
      host: 'loopback',
    })
    const client = connectTo(network, listener.address)
    await until(() => accepted.length === 1)
    const pieces: Buffer[] = []
    accepted[0]!.onBytes = (bytes) => pieces.push(bytes)
    const sent = Buffer.from('abc')
    client.connection!.write([sent])
    client.connection!.write([sent, sent])
    await until(() => pieces.length > 0)
    pieces[0]!.fill(0)
    expect(pieces).toHaveLength(1)
    expect(sent.toString()).toBe('abc')
  })
})
