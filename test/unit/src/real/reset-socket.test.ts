import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { resetSocket } from '../../../../src/real/reset-socket.ts'

let server: Server
let accepted: PromiseWithResolvers<Socket>

beforeEach(async () => {
  accepted = Promise.withResolvers()
  server = createServer({ allowHalfOpen: true }, (socket) => accepted.resolve(socket))
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
})

afterEach(() => {
  server.close()
})

/** A connection with what each end was told of its end. */
async function open(): Promise<{ readonly own: Socket; readonly ends: string[] }> {
  const other = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const own = await accepted.promise
  const ends: string[] = []
  for (const [name, socket] of [
    ['own', own],
    ['other', other],
  ] as const) {
    socket.resume()
    socket.on('error', (error: NodeJS.ErrnoException) => ends.push(`${name} ${error.code}`))
    socket.on('close', () => ends.push(`${name} close`))
  }
  return { own, ends }
}

function isClosed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve())
  })
}

describe('a socket that is reset', () => {
  it('tells the other end that the connection was reset', async () => {
    const { own, ends } = await open()
    resetSocket(own)
    await expect
      .poll(() => ends.toSorted())
      .toEqual(['other ECONNRESET', 'other close', 'own close'])
  })

  it('is closed also while its end is on the way: that would leave its descriptor open', async () => {
    const { own, ends } = await open()
    own.end('last words')
    expect(own.writableFinished).toBe(false)
    resetSocket(own)
    await isClosed(own)
    expect(ends).not.toContain('own EINVAL')
  })

  it('is closed also before it is open', async () => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    resetSocket(socket)
    await isClosed(socket)
    expect(socket.destroyed).toBe(true)
  })
})
