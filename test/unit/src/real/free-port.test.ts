import { describe, expect, it } from 'vitest'
import { findFreePort } from '../../../../src/real/free-port.ts'
import { NodeNetwork } from '../../../../src/real/node-network.ts'
import { listenOn } from '../../../support/network-contract.ts'
import { untilInEventLoop as until } from '../../../support/port-contracts.ts'

describe('a free port', () => {
  it('lies below the ports of outgoing connections, can be bound and is given once', async () => {
    const ports = await Promise.all(Array.from({ length: 20 }, () => findFreePort()))
    expect(new Set(ports).size).toBe(20)
    expect(ports.every((port) => port >= 10_000 && port <= 32_000)).toBe(true)
    const tcp = new NodeNetwork({ unref: true })
    const harness = { server: tcp, client: tcp, host: '127.0.0.1', until, dispose: () => {} }
    const { listener } = await listenOn(harness, ports[0])
    expect(listener.address.port).toBe(ports[0])
    listener.close(() => {})
  })
})
