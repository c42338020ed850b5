import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { brokerConfigDef, parseBrokerConfig, topicConfigDef } from '../../../broker/config.ts'
import { generateConfigKeys } from '../../../tools/generate-configs.ts'

const MINIMAL = {
  'node.id': '1',
  'process.roles': 'broker,controller',
  'controller.listener.names': 'CONTROLLER',
  'controller.quorum.voters': '1@localhost:9093',
}

describe('broker configuration', () => {
  it('is generated from the table of Kafka settings', () => {
    const committed = readFileSync(
      new URL('../../../broker/config-keys.ts', import.meta.url),
      'utf8',
    )
    expect(generateConfigKeys()).toBe(committed)
  })

  it('has Kafka defaults', () => {
    const config = parseBrokerConfig(MINIMAL)
    expect(config.int('broker.session.timeout.ms')).toBe(9000)
    expect(config.list('log.cleanup.policy')).toEqual(['delete'])
    expect(config.long('log.flush.interval.messages')).toBe(Infinity)
  })

  it('knows broker and topic settings apart', () => {
    expect(brokerConfigDef.keys.has('log.segment.bytes')).toBe(true)
    expect(topicConfigDef.keys.has('segment.bytes')).toBe(true)
    expect(topicConfigDef.problemWith('retention.ms', 'soon')).toContain('retention.ms')
    expect(topicConfigDef.problemWith('retention.mss', '1')).toContain('Unknown topic config name')
  })
})
