// Goal: every API in every version it serves gets an answer that can be encoded. Method: an empty request of
// each over a real socket, then named topics, groups and partitions that do not exist.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { API_HANDLERS } from '../../broker/api/index.ts'
import { startCluster, type Cluster, type NodeEvent } from '../../src/index.ts'
import type { Api, Field, Input } from '../../src/wire/schema.ts'
import { ask } from '../support/raw-client.ts'

const events: NodeEvent[] = []
let cluster: Cluster

beforeAll(async () => {
  const onEvent = (event: NodeEvent): void => void events.push(event)
  cluster = await startCluster({ brokers: 1, onEvent })
})

afterAll(async () => {
  await cluster.stop()
})

const served = API_HANDLERS.filter(({ listeners }) => listeners.includes('broker')).flatMap(
  ({ api, minVersion, maxVersion }) =>
    Array.from({ length: maxVersion - minVersion + 1 }, (_, i) => ({
      api,
      version: minVersion + i,
      name: `${api.name} v${minVersion + i}`,
    })),
)

describe('every served version', () => {
  it.each(served)('$name answers an empty request', async ({ api, version }) => {
    expect(await ask(cluster.broker(1), api, version, emptyBody(api, version))).toBeDefined()
    expect(events.filter(({ kind }) => kind === 'response.failed')).toEqual([])
  })

  it.each(served)('$name answers about things that do not exist', async ({ api, version }) => {
    const body = bodyOf(api.request.fields, version) as Input<unknown>
    expect(await ask(cluster.broker(1), api, version, body)).toBeDefined()
    expect(events.filter(({ kind }) => kind === 'response.failed')).toEqual([])
  })
})

/** Codes of ACLs, of which 0 stands for the unknown: it ends the connection. */
const ANY_ACL = { resourceTypeFilter: 1, patternTypeFilter: 1, operation: 1, permissionType: 1 }
const ACL_CODES: ReadonlySet<string> = new Set([
  ...Object.keys(ANY_ACL),
  'resourceType',
  'resourcePatternType',
])

/** ApiVersions demands the client's name, others take their defaults. */
function emptyBody(api: Api<unknown, unknown>, version: number): Input<unknown> {
  return api.key === 18 && version >= 3
    ? { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
    : { timeoutMs: 100, rebalanceTimeoutMs: 100, acks: 1, ...ANY_ACL }
}

/** One element in every array, a name in every string, nothing optional. */
function bodyOf(fields: readonly Field[], version: number): Record<string, unknown> {
  const body: Record<string, unknown> = {}
  for (const field of fields) {
    if (!isIn(field.versions, version) || field.tagged !== undefined) continue
    const isArray = field.type.startsWith('[]')
    const value = valueOf(field, isArray ? field.type.slice(2) : field.type, version)
    if (value === undefined) continue
    body[field.name] = isArray ? [value] : value
  }
  return body
}

function valueOf(field: Field, type: string, version: number): unknown {
  if (field.fields !== undefined) return bodyOf(field.fields, version)
  if (field.name === 'transactionalId') return undefined
  if (field.name.endsWith('imeoutMs')) return 100
  if (field.name === 'acks' || ACL_CODES.has(field.name)) return 1
  if (type === 'string') return 'nothing'
  return undefined
}

function isIn(range: string | undefined, version: number): boolean {
  if (range === undefined) return true
  const [low, high] = range.endsWith('+') ? [range.slice(0, -1), 'Infinity'] : range.split('-')
  return version >= Number(low) && version <= Number(high ?? low)
}
