import { describe, expect, it } from 'vitest'
import type { Address, Connection, Listener, Network } from '../../src/ports/network.ts'
import { harnesses, type PortHarness } from './port-contracts.ts'

export interface NetworkHarness extends PortHarness {
  readonly server: Network
  readonly client: Network
  /** Where the server may listen. */
  readonly host: string
}

/** A handler that writes down all that happens to its connection. */
export class RecordingEnd {
  opens = 0
  drains = 0
  closes: (Error | null)[] = []
  connection: Connection | null = null
  onBytes: ((bytes: Buffer) => void) | null = null
  readonly #received: Buffer[] = []

  onOpen(): void {
    this.opens += 1
  }

  onData(bytes: Buffer): void {
    this.#received.push(bytes)
    this.onBytes?.(bytes)
  }

  onDrain(): void {
    this.drains += 1
  }

  onClose(error: Error | null): void {
    this.closes.push(error)
  }

  bytes(): Buffer {
    return Buffer.concat(this.#received)
  }

  byteCount(): number {
    return this.#received.reduce((sum, bytes) => sum + bytes.length, 0)
  }

  text(): string {
    return this.bytes().toString()
  }
}

/** Listens and waits until that is so; `accepted` grows with every connection. */
export async function listenOn(
  harness: NetworkHarness,
  port = 0,
): Promise<{ listener: Listener; accepted: RecordingEnd[] }> {
  const accepted: RecordingEnd[] = []
  let listener: Listener | null = null
  let failure: Error | null = null
  harness.server.listen(
    { host: harness.host, port },
    (connection) => {
      const end = new RecordingEnd()
      end.connection = connection
      accepted.push(end)
      return end
    },
    (error, opened) => {
      failure = error
      listener = opened
    },
  )
  expect([listener, failure]).toEqual([null, null])
  await harness.until(() => listener !== null || failure !== null)
  if (failure !== null) throw failure as Error
  return { listener: listener!, accepted }
}

export function connectTo(network: Network, address: Address): RecordingEnd {
  const end = new RecordingEnd()
  end.connection = network.connect(address, end)
  return end
}

/** A connection and its two ends. */
export async function connected(
  harness: NetworkHarness,
): Promise<{ listener: Listener; client: RecordingEnd; server: RecordingEnd }> {
  const { listener, accepted } = await listenOn(harness)
  const client = connectTo(harness.client, listener.address)
  await harness.until(() => client.opens === 1 && accepted.length === 1)
  return { listener, client, server: accepted[0]! }
}

/** What each `Network` does alike. */
export function describeNetwork(name: string, create: () => NetworkHarness): void {
  describe(`${name} as a network`, () => {
    const start = harnesses(create)

    it('binds a free port when asked for port 0', async () => {
      const { listener } = await listenOn(start())
      expect(listener.address.port).toBeGreaterThan(0)
    })

    it('says EADDRINUSE when the address is taken', async () => {
      const harness = start()
      const { listener } = await listenOn(harness)
      await expect(listenOn(harness, listener.address.port)).rejects.toThrow('EADDRINUSE')
    })

    it('carries bytes both ways, in order, never from inside a call', async () => {
      const harness = start()
      const { client, server } = await connected(harness)
      let isInside = false
      let wasInside = false
      server.onBytes = (bytes) => {
        wasInside ||= isInside
        server.connection!.write([bytes])
      }
      const parts = Array.from({ length: 300 }, (_, index) => Buffer.from(`${index},`))
      for (let index = 0; index < parts.length; index += 3) {
        isInside = true
        client.connection!.write(parts.slice(index, index + 3))
        isInside = false
      }
      const whole = Buffer.concat(parts).toString()
      await harness.until(() => client.byteCount() === whole.length)
      expect(client.text()).toBe(whole)
      expect(wasInside).toBe(false)
    })

    it('knows both addresses of both ends', async () => {
      const { listener, client, server } = await connected(start())
      expect(client.connection!.remote).toEqual(listener.address)
      expect(server.connection!.local.port).toBe(listener.address.port)
      expect(server.connection!.remote).toEqual(client.connection!.local)
    })

    it('sends what was written before the connection was open', async () => {
      const harness = start()
      const { listener, accepted } = await listenOn(harness)
      const client = connectTo(harness.client, listener.address)
      client.connection!.write([Buffer.from('early '), Buffer.from('words')])
      expect(client.opens).toBe(0)
      await harness.until(() => accepted[0]?.text() === 'early words')
      expect(client.opens).toBe(1)
    })

    it('lets the accepting side speak first', async () => {
      const harness = start()
      let listener: Listener | null = null
      harness.server.listen(
        { host: harness.host, port: 0 },
        (connection) => {
          connection.write([Buffer.from('welcome')])
          return new RecordingEnd()
        },
        (_, opened) => {
          listener = opened
        },
      )
      await harness.until(() => listener !== null)
      const client = connectTo(harness.client, listener!.address)
      await harness.until(() => client.text() === 'welcome')
      expect(client.opens).toBe(1)
    })

    it('reports a refused connection once, as an error, without onOpen', async () => {
      const harness = start()
      const { listener } = await listenOn(harness)
      let isClosed = false
      listener.close(() => {
        isClosed = true
      })
      await harness.until(() => isClosed)
      const client = connectTo(harness.client, listener.address)
      client.connection!.write([Buffer.from('lost')])
      expect(client.closes).toEqual([])
      await harness.until(() => client.closes.length === 1)
      expect(client.closes[0]?.message).toContain('ECONNREFUSED')
      expect(client.opens).toBe(0)
    })

    it('reports an impossible port as a failed connection', async () => {
      const harness = start()
      const client = connectTo(harness.client, { host: harness.host, port: 70_000 })
      await harness.until(() => client.closes.length === 1)
      expect(client.closes[0]).toBeInstanceOf(Error)
    })

    it('keeps open connections when the listener closes', async () => {
      const harness = start()
      const { listener, client, server } = await connected(harness)
      let isClosed = false
      listener.close(() => {
        isClosed = true
      })
      await harness.until(() => isClosed)
      client.connection!.write([Buffer.from('still here')])
      await harness.until(() => server.text() === 'still here')
      await listenOn(harness, listener.address.port)
    })

    it('delivers all queued bytes before an orderly end', async () => {
      const harness = start()
      const { client, server } = await connected(harness)
      const bytes = Buffer.alloc(300_000, 'abc')
      client.connection!.write([bytes])
      client.connection!.close()
      expect(client.connection!.write([Buffer.from('too late')])).toBe(false)
      await harness.until(() => client.closes.length === 1 && server.closes.length === 1)
      expect(server.bytes().equals(bytes)).toBe(true)
      expect([client.closes, server.closes]).toEqual([[null], [null]])
    })

    it('delivers the last words of a side that leaves input unread', async () => {
      const harness = start()
      const { client, server } = await connected(harness)
      server.onBytes = () => {
        server.connection!.write([Buffer.from('bad request')])
        server.connection!.close()
      }
      for (let index = 0; index < 50; index += 1) client.connection!.write([Buffer.alloc(5000)])
      await harness.until(() => client.closes.length === 1 && server.closes.length === 1)
      expect(client.text()).toBe('bad request')
      expect(client.closes).toEqual([null])
    })

    it('sends what was written when closed before it is open', async () => {
      const harness = start()
      const { listener, accepted } = await listenOn(harness)
      const client = connectTo(harness.client, listener.address)
      client.connection!.write([Buffer.from('in and out')])
      client.connection!.close()
      await harness.until(() => client.closes.length === 1 && accepted[0]?.closes.length === 1)
      expect(accepted[0]!.text()).toBe('in and out')
      expect(client.closes).toEqual([null])
      expect(client.opens).toBe(0)
    })

    it('shows a destroyed connection to the other side as an error', async () => {
      const harness = start()
      const { client, server } = await connected(harness)
      client.connection!.destroy()
      client.connection!.destroy()
      expect(client.connection!.write([Buffer.from('x')])).toBe(false)
      expect(client.closes).toEqual([])
      await harness.until(() => client.closes.length === 1 && server.closes.length === 1)
      expect(client.closes).toEqual([null])
      expect(server.closes[0]?.message).toContain('ECONNRESET')
      server.connection!.close()
      server.connection!.destroy()
      expect(server.connection!.write([Buffer.from('x')])).toBe(false)
    })

    it('ends a connection that is destroyed before it is open', async () => {
      const harness = start()
      const { listener } = await listenOn(harness)
      const client = connectTo(harness.client, listener.address)
      client.connection!.destroy()
      await harness.until(() => client.closes.length === 1)
      expect([client.opens, client.closes]).toEqual([0, [null]])
    })

    it('stops the sender while the receiver does not read, and loses nothing', async () => {
      const harness = start()
      const { client, server } = await connected(harness)
      server.connection!.pauseReading()
      const chunk = Buffer.alloc(64 * 1024, 'x')
      let sent = 0
      while (client.connection!.write([chunk])) sent += chunk.length
      sent += chunk.length
      expect(sent).toBeLessThan(64 * 1024 * 1024)
      const other = await connected(harness)
      other.client.connection!.write([Buffer.from('ping')])
      await harness.until(() => other.server.text() === 'ping')
      expect(server.byteCount()).toBe(0)
      server.connection!.resumeReading()
      await harness.until(() => server.byteCount() === sent && client.drains === 1)
      expect(client.connection!.write([Buffer.from('more')])).toBe(true)
      await harness.until(() => server.byteCount() === sent + 4)
    })

    it('can be paused from inside onData', async () => {
      const harness = start()
      const { client, server } = await connected(harness)
      server.onBytes = () => server.connection!.pauseReading()
      client.connection!.write([Buffer.from('first')])
      await harness.until(() => server.byteCount() > 0)
      const before = server.byteCount()
      client.connection!.write([Buffer.from('second')])
      client.connection!.close()
      const other = await connected(harness)
      other.client.connection!.write([Buffer.from('ping')])
      await harness.until(() => other.server.text() === 'ping')
      expect(server.byteCount()).toBe(before)
      expect(server.closes).toEqual([])
      server.onBytes = null
      server.connection!.resumeReading()
      await harness.until(() => server.closes.length === 1)
      expect(server.text()).toBe('firstsecond')
      expect(server.closes).toEqual([null])
    })
  })
}
