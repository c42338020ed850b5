// Real sockets on the loopback: a small server that answers each frame, a proxy before it, a client that says who it is.
import { createServer, Socket, type Server } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { LinkProxy } from '../../../../../src/chaos/real/link-proxy.ts'
import { LinkTable } from '../../../../../src/chaos/real/link-table.ts'
import { hostOf } from '../../../../../src/chaos/real/stage-layout.ts'
import { findFreePort } from '../../../../../src/real/free-port.ts'

const HOST = '127.0.0.1'

/** A request as far as a proxy reads it. */
function request(clientId: string, body = ''): Buffer {
  const id = Buffer.from(clientId)
  const bytes = Buffer.alloc(14 + id.length + body.length)
  bytes.writeInt32BE(bytes.length - 4, 0)
  bytes.writeInt16BE(id.length, 12)
  id.copy(bytes, 14)
  bytes.write(body, 14 + id.length)
  return bytes
}

class World {
  readonly table = new LinkTable()
  readonly received: string[] = []
  server: Server | null = null
  proxy: LinkProxy | null = null
  readonly clients: Socket[] = []
  proxyPort = 0

  async start(): Promise<void> {
    const port = await findFreePort(HOST)
    this.proxyPort = await findFreePort(HOST)
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.on('data', (bytes) => {
        this.received.push(bytes.toString().slice(-4))
        socket.write(`echo ${bytes.toString().slice(-4)}`)
      })
    })
    this.server = server
    await new Promise<void>((resolve) => {
      server.listen({ host: HOST, port }, resolve)
    })
    this.proxy = new LinkProxy({
      table: this.table,
      role: 'client',
      node: 'n1',
      host: HOST,
      proxyPort: this.proxyPort,
      port,
      hostOf,
    })
    await this.proxy.listen()
  }

  dial(): { readonly socket: Socket; readonly answers: string[]; readonly ends: string[] } {
    const socket = new Socket()
    const answers: string[] = []
    const ends: string[] = []
    socket.on('data', (bytes) => answers.push(bytes.toString()))
    socket.on('error', (error) => ends.push((error as NodeJS.ErrnoException).code ?? ''))
    socket.on('close', () => ends.push('close'))
    socket.connect({ host: HOST, port: this.proxyPort })
    this.clients.push(socket)
    return { socket, answers, ends }
  }

  async stop(): Promise<void> {
    for (const socket of this.clients) socket.destroy()
    await this.proxy?.close()
    this.server?.close()
  }
}

describe('a link proxy', () => {
  const world: { now: World } = { now: new World() }
  afterEach(() => world.now.stop())

  async function started(): Promise<World> {
    world.now = new World()
    await world.now.start()
    return world.now
  }

  it('passes on what both sides say, also a header that comes in pieces', async () => {
    const { dial, received } = await bound()
    const { socket, answers } = dial()
    const bytes = request('client-1', 'ping')
    socket.write(bytes.subarray(0, 6))
    await vi.waitFor(() => expect(socket.bytesWritten).toBe(6))
    socket.write(bytes.subarray(6))
    await vi.waitFor(() => expect(answers).toEqual(['echo ping']))
    expect(received).toEqual(['ping'])
  })

  it('stalls the links of one host only, and delivers when the cut is over', async () => {
    const { dial, table } = await bound()
    const undo = table.cut({ from: 'n2', to: 'n1' })
    const cut = dial()
    const free = dial()
    cut.socket.write(request('broker-2-fetcher-0', 'late'))
    free.socket.write(request('raft-client-3', 'soon'))
    await vi.waitFor(() => expect(free.answers).toEqual(['echo soon']))
    expect(cut.answers).toEqual([])
    undo()
    await vi.waitFor(() => expect(cut.answers).toEqual(['echo late']))
    expect(cut.ends).toEqual([])
  })

  it('cuts one way: the request arrives, the answer waits', async () => {
    const { dial, table, received } = await bound()
    table.cut({ from: 'n1', to: 'client-1' })
    const { socket, answers } = dial()
    socket.write(request('client-1/2', 'ping'))
    await vi.waitFor(() => expect(received).toEqual(['ping']))
    expect(answers).toEqual([])
    table.clear()
    await vi.waitFor(() => expect(answers).toEqual(['echo ping']))
  })

  it('cuts by the listener that is dialled', async () => {
    const { dial, table } = await bound()
    table.cut({ to: 'n1', role: 'controller' })
    const { socket, answers } = dial()
    socket.write(request('client-1', 'ping'))
    await vi.waitFor(() => expect(answers).toEqual(['echo ping']))
  })

  it('loses an answer and resets, once the request has arrived', async () => {
    const { dial, proxy, received } = await bound()
    const { socket, answers, ends } = dial()
    socket.write(request('client-1', 'one.'))
    await vi.waitFor(() => expect(answers).toHaveLength(1))
    for (const connection of proxy.connections) connection.loseFrom('n1')
    socket.write('two.')
    await vi.waitFor(() => expect(ends).toEqual(['ECONNRESET', 'close']))
    expect(received).toEqual(['one.', 'two.'])
    expect(answers).toHaveLength(1)
  })

  it('holds the bytes of open connections, not those of new ones', async () => {
    const { dial, proxy } = await bound()
    const old = dial()
    old.socket.write(request('client-1', 'one.'))
    await vi.waitFor(() => expect(old.answers).toHaveLength(1))
    const held = [...proxy.connections]
    for (const connection of held) connection.hold()
    old.socket.write('two.')
    const fresh = dial()
    fresh.socket.write(request('client-1', 'new.'))
    await vi.waitFor(() => expect(fresh.answers).toEqual(['echo new.']))
    expect(old.answers).toHaveLength(1)
    for (const connection of held) connection.release()
    await vi.waitFor(() => expect(old.answers).toEqual(['echo one.', 'echo two.']))
  })

  it('resets both ends', async () => {
    const { dial, proxy } = await bound()
    const { socket, answers, ends } = dial()
    socket.write(request('client-1', 'ping'))
    await vi.waitFor(() => expect(answers).toHaveLength(1))
    for (const connection of proxy.connections) connection.reset()
    await vi.waitFor(() => expect(ends).toEqual(['ECONNRESET', 'close']))
    expect([...proxy.connections]).toEqual([])
  })

  async function bound(): Promise<{
    readonly dial: World['dial']
    readonly table: LinkTable
    readonly proxy: LinkProxy
    readonly received: readonly string[]
  }> {
    const made = await started()
    return {
      dial: () => made.dial(),
      table: made.table,
      proxy: made.proxy!,
      received: made.received,
    }
  }
})
