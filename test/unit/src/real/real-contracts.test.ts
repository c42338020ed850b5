// Goal: the real ports keep the contracts that the simulated ones keep (test/unit/src/sim). Method: the shared suites.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LmdbStore } from '../../../../src/real/lmdb-store.ts'
import { LoopbackNetwork } from '../../../../src/real/loopback-network.ts'
import { MemoryDisk } from '../../../../src/real/memory-disk.ts'
import { MemoryStore } from '../../../../src/real/memory-store.ts'
import { NodeClock } from '../../../../src/real/node-clock.ts'
import { NodeDisk } from '../../../../src/real/node-disk.ts'
import { NodeNetwork } from '../../../../src/real/node-network.ts'
import { NodeRandom } from '../../../../src/real/node-random.ts'
import { ScopedPorts } from '../../../../src/real/scoped-ports.ts'
import { describeNetwork } from '../../../support/network-contract.ts'
import {
  describeClock,
  describeDisk,
  describeRandom,
  describeStore,
  untilInEventLoop,
} from '../../../support/port-contracts.ts'

const until = untilInEventLoop
const nothing = (): void => {}

function temporaryDirectory(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'kafkette-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

function scoped(): ScopedPorts {
  return new ScopedPorts({
    clock: new NodeClock({ unref: true }),
    network: new LoopbackNetwork(),
    disk: new MemoryDisk(),
    store: new MemoryStore(),
    random: new NodeRandom(),
    events: { emit: nothing },
  })
}

describeClock('NodeClock', () => ({ clock: new NodeClock(), until, dispose: nothing }))
describeClock('ScopedPorts', () => ({ clock: scoped().ports.clock, until, dispose: nothing }))

describeRandom('NodeRandom', () => new NodeRandom())

describeDisk('NodeDisk', () => {
  const { path, remove } = temporaryDirectory()
  return { disk: new NodeDisk(join(path, 'root')), until, dispose: remove }
})
describeDisk('MemoryDisk', () => ({ disk: new MemoryDisk(), until, dispose: nothing }))
describeDisk('ScopedPorts', () => ({ disk: scoped().ports.disk, until, dispose: nothing }))

describeStore('MemoryStore', () => ({ store: new MemoryStore(), until, dispose: nothing }))
describeStore('LmdbStore', () => {
  const { path, remove } = temporaryDirectory()
  const store = LmdbStore.open(join(path, 'store'))
  return { store, until, dispose: () => store.closed().then(remove) }
})

describeNetwork('NodeNetwork', () => {
  const network = new NodeNetwork({ unref: true })
  return { server: network, client: network, host: '127.0.0.1', until, dispose: nothing }
})
describeNetwork('LoopbackNetwork', () => {
  const network = new LoopbackNetwork()
  return { server: network, client: network, host: 'loopback', until, dispose: nothing }
})
describeNetwork('LoopbackNetwork over TCP', () => {
  const network = new LoopbackNetwork({ inner: new NodeNetwork({ unref: true }) })
  return { server: network, client: network, host: '127.0.0.1', until, dispose: nothing }
})
describeNetwork('ScopedPorts', () => {
  const { network } = scoped().ports
  return { server: network, client: network, host: 'loopback', until, dispose: nothing }
})
