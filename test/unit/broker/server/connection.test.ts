// Goal: one connection's bytes become requests that are answered in order, one at a time, and nothing that a client
// sends or leaves undone costs more than its own connection.
import { describe, expect, it } from 'vitest'
import { connectionLimitOf } from '../../../../broker/server/connection-limit.ts'
import { heartbeatFrame, ServerWorld } from '../../../support/server-world.ts'

const heldGroups = (server: ServerWorld): string[] => server.held.map(({ groupId }) => groupId)

describe('ServerConnection, requests', () => {
  it('hands over one request at a time and answers in the order of the requests', () => {
    const server = new ServerWorld()
    const client = server.client()
    for (const id of [1, 2, 3]) client.heartbeat(id)
    server.run()
    expect(heldGroups(server)).toEqual(['g1'])
    server.held[0]!.respond({})
    server.run()
    expect(heldGroups(server)).toEqual(['g1', 'g2'])
    expect(client.answered).toEqual([1])
    server.held[1]!.respond({})
    server.held[2]!.respond({})
    server.run()
    expect(client.answered).toEqual([1, 2, 3])
  })

  it('serves other connections while a request of one is waiting', () => {
    const server = new ServerWorld()
    const [slow, quick] = [server.client(), server.client()]
    slow.heartbeat(1, 'slow')
    server.run()
    quick.heartbeat(2, 'quick')
    server.run()
    server.held.find(({ groupId }) => groupId === 'quick')!.respond({})
    server.run()
    expect([slow.answered, quick.answered]).toEqual([[], [2]])
  })

  it('puts a request together from single bytes', () => {
    const server = new ServerWorld({ answersAtOnce: true })
    const client = server.client()
    for (const byte of Buffer.concat(heartbeatFrame(7))) client.send(Buffer.from([byte]))
    server.run()
    expect(client.answered).toEqual([7])
  })

  it('answers ten thousand requests that came in one piece, without piling them on the stack', () => {
    const server = new ServerWorld({ answersAtOnce: true })
    const client = server.client()
    const ids = Array.from({ length: 10_000 }, (_, i) => i)
    client.send(Buffer.concat(ids.flatMap((id) => heartbeatFrame(id))))
    server.run(1000)
    expect(client.answered).toEqual(ids)
  })

  it('goes on with the next request after one that wants no answer', () => {
    const server = new ServerWorld()
    const client = server.client()
    client.heartbeat(1)
    client.heartbeat(2)
    server.run()
    server.held[0]!.respond(null)
    server.held[1]!.respond({})
    server.run()
    expect(client.answered).toEqual([2])
  })

  it('ends the connection in order when the handler says so, and drops what was queued', () => {
    const server = new ServerWorld()
    const client = server.client()
    client.heartbeat(1)
    client.heartbeat(2)
    server.run()
    server.held[0]!.respond('close')
    server.run()
    expect(client.closes).toEqual([null])
    expect(heldGroups(server)).toEqual(['g1'])
    expect(server.eventsOf('connection.refused')).toEqual([])
  })

  it('takes a second answer of a handler for none, and one after the end of the connection too', () => {
    const server = new ServerWorld()
    const client = server.client()
    client.heartbeat(1)
    client.heartbeat(2)
    server.run()
    server.held[0]!.respond({})
    server.held[0]!.respond({})
    server.run()
    expect(client.answered).toEqual([1])
    client.connection.destroy()
    server.run()
    server.held[1]!.respond({})
    server.run()
    expect(server.client().isClosed).toBe(false)
  })
})

describe('ServerConnection, bounds', () => {
  it('stops reading while requests queue up behind one, and reads on when they are served', () => {
    const server = new ServerWorld({ highWaterBytes: 100 })
    const client = server.client()
    // One frame in each turn, so that the server can stop in between.
    for (let id = 1; id <= 40; id += 1) {
      client.heartbeat(id)
      server.run(50)
    }
    const drained = client.connection.write(heartbeatFrame(41))
    expect(drained).toBe(false)
    for (let i = 0; i < 41; i += 1) {
      server.held[i]!.respond({})
      server.run()
    }
    expect(client.answered).toEqual(Array.from({ length: 41 }, (_, i) => i + 1))
  })

  it('takes no further request from a client that does not read its answers', () => {
    const server = new ServerWorld({ highWaterBytes: 10 })
    const client = server.client()
    client.connection.pauseReading()
    for (const id of [1, 2, 3, 4]) client.heartbeat(id)
    server.run()
    for (let i = 0; i < server.held.length; i += 1) server.held[i]!.respond({})
    server.run()
    expect(server.held.length).toBeLessThan(4)
    client.connection.resumeReading()
    for (let i = 1; i < 4; i += 1) {
      server.run()
      server.held[i]?.respond({})
    }
    server.run()
    expect(client.answered).toEqual([1, 2, 3, 4])
  })

  it('drops a client that has read nothing for connections.max.idle.ms', () => {
    const server = new ServerWorld({ highWaterBytes: 10, maxIdleMs: 5000, answersAtOnce: true })
    const client = server.client()
    client.connection.pauseReading()
    for (const id of [1, 2, 3, 4]) client.heartbeat(id)
    server.run(4000)
    expect(server.eventsOf('connection.refused')).toEqual([])
    server.run(3000)
    expect(server.eventsOf('connection.refused')[0]!.fields['reason']).toMatch(/nothing read for/)
  })

  it('stops reading when few but large requests wait', () => {
    const server = new ServerWorld({ highWaterBytes: 1_500_000 })
    const client = server.client()
    let frames = 0
    while (frames < 10 && client.connection.write([largeHeartbeat(frames)])) {
      frames += 1
      server.run(50)
    }
    expect(frames).toBeLessThan(10)
  })

  it.each([
    ['is longer than the maximum', Buffer.from('000f424100000000', 'hex'), /1000001/],
    ['has a negative size', Buffer.from('ffffffff00000000', 'hex'), /-1/],
    ['is HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), /./],
    ['is shorter than a header', Buffer.from('00000002000c', 'hex'), /./],
    [
      'is of an API that is not served',
      Buffer.from('0000000a7fff0000000000010000', 'hex'),
      /API key 32767/,
    ],
    ['is of a version that is not served', Buffer.from('0000000a000c00630000000100ff', 'hex'), /./],
  ])('drops a connection whose frame %s, with one event, and serves others', (_, bytes, reason) => {
    const server = new ServerWorld({ answersAtOnce: true })
    const client = server.client()
    client.send(bytes)
    server.run()
    expect(client.isClosed).toBe(true)
    expect(client.frames).toEqual([])
    const refused = server.eventsOf('connection.refused')
    expect(refused).toHaveLength(1)
    expect(refused[0]!.fields).toMatchObject({
      listener: 'PLAINTEXT',
      client: expect.stringMatching(/^client:\d+$/),
      reason: expect.stringMatching(reason),
    })
    const other = server.client()
    other.heartbeat(9)
    server.run()
    expect(other.answered).toEqual([9])
  })

  it('closes a connection that was idle for connections.max.idle.ms, counted from its last answer', () => {
    const server = new ServerWorld({ maxIdleMs: 5000, answersAtOnce: true })
    const client = server.client()
    server.run(4000)
    client.heartbeat(1)
    server.run(4500)
    expect(client.isClosed).toBe(false)
    server.run(1500)
    expect(client.closes).toEqual([null])
  })

  it('does not count the wait for an answer as idle', () => {
    const server = new ServerWorld({ maxIdleMs: 5000 })
    const client = server.client()
    client.heartbeat(1)
    server.run(60_000)
    expect(client.isClosed).toBe(false)
    server.held[0]!.respond({})
    server.run(4000)
    expect(client.answered).toEqual([1])
    server.run(3000)
    expect(client.isClosed).toBe(true)
  })

  it.each([-1, 0, 1])('takes a connection with connections.max.idle.ms=%i', (maxIdleMs) => {
    const server = new ServerWorld({ maxIdleMs, answersAtOnce: true })
    const client = server.client()
    client.heartbeat(1)
    server.run(100)
    expect(client.answered).toEqual([1])
    server.run(3_600_000)
    expect(client.isClosed).toBe(maxIdleMs >= 0)
  })
})

describe('Acceptor', () => {
  it('closes what comes beyond max.connections, and takes another when one has left', () => {
    const server = new ServerWorld({ maxConnections: 2, answersAtOnce: true })
    const [first, second, third] = [server.client(), server.client(), server.client()]
    expect([first.isClosed, second.isClosed, third.isClosed]).toEqual([false, false, true])
    expect(server.eventsOf('connection.refused')[0]!.fields['reason']).toMatch(/max.connections=2/)
    first.connection.close()
    server.run()
    const fourth = server.client()
    fourth.heartbeat(1)
    server.run()
    expect(fourth.answered).toEqual([1])
  })

  it('closes what an address has beyond its share, and takes another when one has left', () => {
    const server = new ServerWorld({ maxConnectionsOf: 1, answersAtOnce: true })
    const [first, second] = [server.client(), server.client()]
    expect([first.isClosed, second.isClosed]).toEqual([false, true])
    const reason = server.eventsOf('connection.refused')[0]!.fields['reason']
    expect(reason).toMatch(/max.connections.per.ip=1/)
    first.connection.close()
    server.run()
    expect(server.client().isClosed).toBe(false)
  })

  it.each([
    ['10.0.0.1', 7],
    ['::ffff:10.0.0.1', 7],
    ['fe80::1', 9],
    ['10.0.0.2', 5],
  ])('allows %s %i connections', (host, limit) => {
    expect(connectionLimitOf(host, 5, '10.0.0.1:7, fe80::1:9')).toBe(limit)
    expect(connectionLimitOf(host, 5, '')).toBe(5)
  })

  it('ends every connection and the listener when it closes', () => {
    const server = new ServerWorld()
    const client = server.client()
    client.heartbeat(1)
    server.run()
    server.acceptor.close()
    server.run()
    expect(client.isClosed).toBe(true)
    expect(server.client().isClosed).toBe(true)
    server.held[0]!.respond({})
    server.run()
    expect(client.answered).toEqual([])
  })

  it('serves nobody who was on the way to it when it closed', () => {
    const server = new ServerWorld()
    const node = server.world.node('server')
    node.pause()
    const client = server.client()
    client.heartbeat(1)
    server.run()
    server.acceptor.close()
    node.resume()
    server.run()
    expect(server.held).toEqual([])
    expect(client.isClosed).toBe(true)
  })

  it('does not stay open when it is closed before the listener is there', () => {
    const server = new ServerWorld()
    server.acceptor.close()
    server.run()
    server.acceptor.listen(() => undefined)
    server.acceptor.close()
    server.run()
    expect(server.client().isClosed).toBe(true)
  })
})

/** Bytes behind the body are left unread, so a request may be of any size. */
function largeHeartbeat(correlationId: number): Buffer {
  const frame = Buffer.concat([...heartbeatFrame(correlationId), Buffer.alloc(500_000)])
  frame.writeInt32BE(frame.length - 4)
  return frame
}
