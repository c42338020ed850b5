import { createConnection, type Socket } from 'node:net'
import { ClientConnection } from '../../src/client/connection.ts'
import { NodeClock } from '../../src/real/node-clock.ts'
import { NodeNetwork } from '../../src/real/node-network.ts'
import type { Address } from '../../src/ports/network.ts'
import type { Api, Input } from '../../src/wire/schema.ts'

const TIMEOUT_MS = 10_000

/** One request over a TCP connection of its own. */
export function ask<Req, Res>(
  address: Address,
  api: Api<Req, Res>,
  version: number,
  body: Input<Req>,
): Promise<Res> {
  const connection = new ClientConnection({
    network: new NodeNetwork(),
    clock: new NodeClock(),
    address: { host: address.host, port: address.port },
    clientId: 'test',
  })
  return new Promise<Res>((resolve, reject) => {
    connection.request(api, version, body, TIMEOUT_MS, (error, response) => {
      connection.close()
      if (error !== null) reject(error)
      else resolve(response!)
    })
  })
}

/** Sends bytes as they are and gives what came back until the broker closed the connection, or `wantedBytes`. */
export function sendBytes(
  address: Address,
  bytes: Buffer,
  options: { readonly wantedBytes?: number; readonly endsAfter?: boolean } = {},
): Promise<{ readonly received: Buffer; readonly isClosed: boolean }> {
  return new Promise((resolve, reject) => {
    const received: Buffer[] = []
    const socket: Socket = createConnection(address.port, address.host, () => {
      socket.write(bytes)
      if (options.endsAfter === true) socket.end()
    })
    const finish = (isClosed: boolean): void => {
      socket.destroy()
      resolve({ received: Buffer.concat(received), isClosed })
    }
    socket.setTimeout(TIMEOUT_MS, () => {
      socket.destroy()
      reject(new Error(`no answer and no close within ${TIMEOUT_MS} ms`))
    })
    socket.on('data', (data: Buffer) => {
      received.push(data)
      const size = received.reduce((sum, part) => sum + part.length, 0)
      if (options.wantedBytes !== undefined && size >= options.wantedBytes) finish(false)
    })
    socket.on('error', () => finish(true))
    socket.on('close', () => finish(true))
  })
}
