import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

const CLOSE_WAIT_MS = 20

export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

/** Sends bytes on a connection of their own, does not care what comes back, and hangs up. */
export async function throwAt(address: BrokerAddress, frames: readonly Buffer[]): Promise<void> {
  const socket = await open(address)
  if (socket === null) return
  socket.resume()
  for (const frame of frames) socket.write(frame)
  await Promise.race([closed(socket), pause(CLOSE_WAIT_MS)])
  socket.destroy()
}

/** Connections that say nothing, or begin a frame of 50 MB and stop after ten bytes; as many as could be opened. */
export async function openIdle(address: BrokerAddress, count: number): Promise<readonly Socket[]> {
  const sockets: Socket[] = []
  const atOnce = 200
  while (sockets.length < count) {
    const more = await Promise.all(
      Array.from({ length: Math.min(atOnce, count - sockets.length) }, () => open(address)),
    )
    const opened = more.filter((socket) => socket !== null)
    for (const socket of opened) {
      if (sockets.length % 2 === 1) socket.write(halfFrame())
      sockets.push(socket)
    }
    if (opened.length < more.length) break
  }
  return sockets
}

/**
 * Asks again and again and reads nothing. Resolves with the connection when the broker takes no more from it, or has
 * taken `maxBytes`; `isStopped` says which.
 */
export async function neverRead(
  address: BrokerAddress,
  request: Buffer,
  maxBytes: number,
): Promise<{ readonly socket: Socket; readonly isStopped: boolean }> {
  const socket = await open(address)
  if (socket === null) throw new Error('the broker takes no connection')
  socket.pause()
  let sentBytes = 0
  while (sentBytes < maxBytes && !socket.destroyed) {
    sentBytes += request.length
    if (socket.write(request)) continue
    const isDrained = await Promise.race([
      once(socket, 'drain').then(() => true),
      pause(STOPPED_AFTER_MS, false),
    ])
    if (!isDrained) return { socket, isStopped: true }
  }
  return { socket, isStopped: false }
}

/** So long without taking a byte means that the broker has stopped reading. */
const STOPPED_AFTER_MS = 1500

function halfFrame(): Buffer {
  const bytes = Buffer.alloc(10)
  bytes.writeInt32BE(50_000_000)
  return bytes
}

async function open({ host, port }: BrokerAddress): Promise<Socket | null> {
  const socket = createConnection(port, host)
  const isOpen = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
  })
  socket.on('error', () => socket.destroy())
  if (isOpen) return socket
  socket.destroy()
  return null
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve())
  })
}
