// Goal: a program that kafkajs does not let end is killed. Method: a library that does what kafkajs 2.2.4 does when it
// is stopped while it makes new fetchers (seeds 537 and 1269 of the swarm): it asks for nothing without a pause.
import type { Consumer, KafkaConfig, LogEntry, Producer } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { History } from '../../../../../src/chaos/history/history.ts'
import { KafkajsLife, type KafkajsExports } from '../../../../../src/chaos/kafkajs/kafkajs-life.ts'
import type { KafkajsPlan } from '../../../../../src/chaos/plan/workload-plan.ts'
import { SimWorld } from '../../../../../src/sim/sim-world.ts'
import { settleFor } from '../../../../support/sim-promise.ts'

const DEBUG = 5
const PLAN: KafkajsPlan = {
  kind: 'kafkajs',
  name: 'k',
  topic: 't',
  partitions: [0],
  groupId: 'g',
  members: 1,
  idempotent: false,
  everyMs: 50,
}

/** Its consumer fetches nothing `fetches` times when it is to go. */
function libraryThatSpins(fetches: number) {
  const state = { level: 0, fetched: 0 }
  class Kafka {
    readonly #log: (entry: LogEntry) => void

    constructor({ logCreator }: KafkaConfig) {
      this.#log = logCreator!(0)
    }

    logger() {
      return { setLogLevel: (level: number) => (state.level = level) }
    }

    producer(): Partial<Producer> {
      return { connect: () => new Promise(() => {}), disconnect: () => Promise.resolve() }
    }

    consumer(): Partial<Consumer> {
      return {
        events: { CRASH: 'consumer.crash' } as Consumer['events'],
        on: () => () => {},
        connect: () => Promise.resolve(),
        subscribe: () => Promise.resolve(),
        run: () => Promise.resolve(),
        disconnect: async () => {
          for (; state.fetched < fetches; state.fetched += 1) {
            const log = { timestamp: '', message: 'consumer not running, exiting' }
            if (state.level >= DEBUG) {
              this.#log({ namespace: 'Runner', level: DEBUG, label: 'DEBUG', log })
            }
            await Promise.resolve()
          }
        },
      }
    }
  }
  const kafkajs = { Kafka, logLevel: { NOTHING: 0, DEBUG } } as unknown as KafkajsExports
  return { state, kafkajs }
}

async function stopped(fetches: number) {
  const world = new SimWorld({ seed: 1 })
  const { state, kafkajs } = libraryThatSpins(fetches)
  let exits = 0
  const life = new KafkajsLife(
    PLAN,
    {
      history: new History(() => world.scheduler.nowMs),
      bootstrap: [],
      random: world.random('workload'),
      ports: world.node('k').ports,
      process: 'k',
      number: 1,
    },
    { kafkajs: { ...kafkajs, Partitioners: {} as never }, exit: () => (exits += 1) },
  )
  await settleFor(world, 100)
  life.stop()
  await settleFor(world, 100)
  return { life, exits, fetched: state.fetched }
}

describe('a program with kafkajs', () => {
  it('is killed when its consumer loops without a pause', async () => {
    const { life, exits, fetched } = await stopped(1_000_000)
    expect(fetched).toBe(999)
    expect(exits).toBe(1)
    expect(life.pending()).toBeNull()
  })

  it('is not for some fetches of nothing', async () => {
    const { life, exits, fetched } = await stopped(500)
    expect(fetched).toBe(500)
    expect(exits).toBe(0)
    expect(life.pending()).toBe('k: kafkajs awaits a send')
  })
})
