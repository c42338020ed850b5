import { describe, expect, it } from 'vitest'
import type { Properties, TransformPlugin } from '../../../../connect/api.ts'
import { builtinPlugins } from '../../../../connect/runtime/builtin-plugins.ts'
import { consumerSettings, producerSettings } from '../../../../connect/runtime/client-settings.ts'
import { checkOverrides, workerAdminSettings } from '../../../../connect/runtime/client-settings.ts'
import {
  parseConnectorConfig,
  type ConnectorConfig,
} from '../../../../connect/runtime/connector-config.ts'
import { checkConverters, parts } from '../../../../connect/runtime/connector-parts.ts'
import { Plugins } from '../../../../connect/runtime/plugins.ts'
import {
  parseStandaloneConfig,
  type WorkerConfig,
} from '../../../../connect/runtime/worker-config.ts'
import { voiceOf } from '../../../../connect/runtime/worker-event.ts'
import { ConfigDef } from '../../../../src/base/config-def.ts'
import { ConfigError } from '../../../../src/base/errors.ts'

const JSON_CONVERTER = 'org.apache.kafka.connect.json.JsonConverter'
/** Apache Kafka's connect-standalone.properties. */
const KAFKAS_WORKER = {
  'bootstrap.servers': 'localhost:9092',
  'key.converter': JSON_CONVERTER,
  'value.converter': JSON_CONVERTER,
  'key.converter.schemas.enable': 'true',
  'value.converter.schemas.enable': 'true',
  'offset.storage.file.filename': '/tmp/connect.offsets',
  'offset.flush.interval.ms': '10000',
}
const SOURCE = { name: 's', 'connector.class': 'FileStreamSource', file: 'f', topic: 't' }
const SINK = { name: 'k', 'connector.class': 'FileStreamSink', file: 'f', topics: 't,u' }
const plugins = new Plugins(builtinPlugins)

function told(run: (voice: ReturnType<typeof voiceOf>) => void): readonly string[] {
  const messages: string[] = []
  run(voiceOf((event) => messages.push(event.message), null))
  return messages
}

function worker(more: Properties = {}): WorkerConfig {
  return parseStandaloneConfig(
    { ...KAFKAS_WORKER, ...more },
    voiceOf(() => undefined, null),
  )
}

function connector(properties: Properties): ConnectorConfig {
  return parseConnectorConfig(
    properties,
    plugins,
    voiceOf(() => undefined, null),
  )
}

describe('the settings of a worker', () => {
  it('take the sample file of Apache Kafka without a word', () => {
    const messages = told((voice) => parseStandaloneConfig(KAFKAS_WORKER, voice))
    expect(messages).toEqual([])
    const { config } = worker()
    expect(config.long('task.shutdown.graceful.timeout.ms')).toBe(5000)
    expect(config.long('offset.flush.timeout.ms')).toBe(5000)
    expect(config.string('header.converter')).toContain('SimpleHeaderConverter')
  })

  it('take client, converter and old internal settings', () => {
    const more = {
      'producer.linger.ms': '1',
      'consumer.fetch.min.bytes': '1',
      'admin.retries': '1',
      'internal.key.converter': JSON_CONVERTER,
      'internal.key.converter.schemas.enable': 'false',
      'security.protocol': 'PLAINTEXT',
      'retry.backoff.ms': '100',
    }
    expect(told((voice) => parseStandaloneConfig({ ...KAFKAS_WORKER, ...more }, voice))).toEqual([])
  })

  it('warn of unknown names with the nearest, and of names without effect', () => {
    const warn = (name: string, value: string): string =>
      told((voice) => parseStandaloneConfig({ ...KAFKAS_WORKER, [name]: value }, voice)).join()
    expect(warn('offset.flush.intervall.ms', '1')).toBe(
      'unknown worker setting "offset.flush.intervall.ms" (did you mean "offset.flush.interval.ms"?)',
    )
    expect(warn('zzz', '1')).toBe('unknown worker setting "zzz"')
    expect(warn('group.id', 'g')).toContain('for distributed workers')
    expect(warn('config.storage.topic', 'c')).toContain('for distributed workers')
    expect(warn('plugin.path', '/usr/share/java')).toContain('plugin.path has no effect')
    expect(warn('plugin.path', '')).toBe('')
    expect(warn('listeners', 'http://:8083')).toContain('no REST server')
  })

  it('refuse values that cannot be used, in one line that names the setting', () => {
    for (const [name, value] of [
      ['offset.flush.interval.ms', '0'],
      ['offset.flush.interval.ms', 'soon'],
      ['bootstrap.servers', ''],
      ['offset.storage.file.filename', ''],
      ['topic.creation.enable', 'perhaps'],
      ['plugin.discovery', 'none'],
      ['config.providers', 'file'],
      ['rest.extension.classes', 'a.B'],
    ] as const) {
      expect(() => worker({ [name]: value })).toThrow(name)
    }
    const { 'value.converter': _gone, ...rest } = KAFKAS_WORKER
    expect(() =>
      parseStandaloneConfig(
        rest,
        voiceOf(() => undefined, null),
      ),
    ).toThrow('Missing required configuration "value.converter"')
  })

  it('name the converters that there are when one is wrong', () => {
    const wrong = worker({ 'key.converter': 'org.apache.kafka.connect.json.JsonConvertor' })
    expect(() => checkConverters(wrong, plugins)).toThrow(`did you mean "${JSON_CONVERTER}"?`)
    expect(() => checkConverters(worker({ 'key.converter.schemas.enable': 'x' }), plugins)).toThrow(
      'key.converter: Invalid value x for configuration schemas.enable',
    )
    checkConverters(worker({ 'header.converter': 'StringConverter' }), plugins)
  })
})

describe('plugins', () => {
  it('are found by full, simple and short names', () => {
    for (const name of [
      'org.apache.kafka.connect.file.FileStreamSourceConnector',
      'FileStreamSourceConnector',
      'FileStreamSource',
    ]) {
      expect(connector({ ...SOURCE, 'connector.class': name }).plugin.kind).toBe('source')
    }
    expect(plugins.find(['converter'], 'Json', 'x').className).toBe(JSON_CONVERTER)
    expect(plugins.find(['header-converter'], 'Simple', 'x').kind).toBe('header-converter')
  })

  it('that are unknown are answered with the nearest and with all', () => {
    expect(() => connector({ ...SOURCE, 'connector.class': 'FileStreamSourse' })).toThrow(
      'there is no such connector (did you mean "FileStreamSource"?); available: FileStreamSinkConnector',
    )
    expect(() => connector({ ...SOURCE, 'connector.class': 'io.x.JdbcSourceConnector' })).toThrow(
      ConfigError,
    )
  })
})

describe('the settings of a connector', () => {
  it('take the sample files of Apache Kafka', () => {
    expect(connector({ ...SOURCE, 'tasks.max': '1' })).toMatchObject({ name: 's', maxTasks: 1 })
    expect(connector(SINK)).toMatchObject({ topics: ['t', 'u'], topicsPattern: null })
  })

  it('match the whole name of a topic with topics.regex', () => {
    const { topics: _topics, ...rest } = SINK
    const { topicsPattern } = connector({ ...rest, 'topics.regex': 'a|b.*' })
    expect(['a', 'bc', 'xa', 'ab'].filter((each) => topicsPattern!.test(each))).toEqual(['a', 'bc'])
  })

  it('refuse what is wrong or missing, and name the connector', () => {
    const { topics: _topics, ...noTopics } = SINK
    for (const [properties, why] of [
      [{ 'connector.class': 'FileStreamSource' }, 'lacks "name"'],
      [{ name: 'x' }, 'lacks "connector.class"'],
      [{ ...SOURCE, 'tasks.max': '0' }, 'connector "s": Invalid value 0'],
      [{ ...SOURCE, topic: '' }, 'connector "s"'],
      [{ ...SOURCE, name: 'a\u0007b' }, 'control characters'],
      [noTopics, 'Must configure one of topics or topics.regex'],
      [{ ...SINK, 'topics.regex': 'x' }, 'mutually exclusive'],
      [{ ...noTopics, 'topics.regex': '(' }, 'no regular expression'],
      [{ ...SINK, 'errors.tolerance': 'ALL' }, 'errors.tolerance'],
    ] as const) {
      expect(() => connector(properties as Properties)).toThrow(why)
    }
  })

  it('refuse what this version cannot do, rather than ignore it', () => {
    for (const [properties, why] of [
      [{ ...SINK, 'errors.deadletterqueue.topic.name': 'dlq' }, 'no dead letter queue yet'],
      [{ ...SOURCE, predicates: 'p' }, 'no predicates yet'],
      [{ ...SOURCE, 'topic.creation.default.partitions': '3' }, 'does not create topics by rules'],
      [{ ...SOURCE, 'exactly.once.support': 'REQUIRED' }, 'a standalone worker cannot give'],
      [{ ...SOURCE, file: '${env:FILE}' }, 'file refers to a config provider'],
    ] as const) {
      expect(() => connector(properties as Properties)).toThrow(why)
    }
  })

  it('warn of unknown names', () => {
    const properties = { ...SOURCE, 'batch.sice': '5', 'key.converter.x': '1' }
    expect(told((voice) => parseConnectorConfig(properties, plugins, voice))).toEqual([
      'unknown setting "batch.sice" (did you mean "batch.size"?)',
    ])
  })

  it('read errors.retry.timeout -1 as for ever', () => {
    const { errors } = connector({ ...SOURCE, 'errors.retry.timeout': '-1' })
    expect(errors.retryTimeoutMs).toBe(Infinity)
  })
})

describe('the parts of a connector', () => {
  it('are the worker’s converters, or its own with only its own settings', () => {
    const own = { ...SOURCE, 'value.converter': 'StringConverter' }
    expect(parts(worker(), connector(SOURCE), plugins).valueConverter.className).toBe(
      JSON_CONVERTER,
    )
    expect(parts(worker(), connector(own), plugins).valueConverter.className).toContain('String')
    const json = { ...SOURCE, 'value.converter': 'JsonConverter' }
    const off = worker({ 'value.converter.schemas.enable': 'false' })
    const write = (properties: Properties): string =>
      parts(off, connector(properties), plugins)
        .valueConverter.it.fromConnectData('t', null, 'x')!
        .toString()
    expect(write(SOURCE)).toBe('"x"')
    expect(write(json)).toBe('{"schema":null,"payload":"x"}')
  })

  it('refuse transforms that are unknown, twice there or without a type', () => {
    const make = (more: Properties, known = plugins): unknown =>
      parts(worker(), connector({ ...SOURCE, ...more }), known)
    const type = 'org.apache.kafka.connect.transforms.InsertField$Value'
    expect(() => make({ transforms: 'a', 'transforms.a.type': type })).toThrow('no transforms yet')
    expect(() => make({ transforms: 'a' })).toThrow('transforms.a.type is missing')
    const plugin: TransformPlugin = {
      kind: 'transform',
      className: 'my.Upper',
      version: '1',
      config: new ConfigDef([]),
      create: () => ({ apply: (record) => record }),
    }
    const more = new Plugins([...builtinPlugins, plugin])
    const known = { transforms: 'a', 'transforms.a.type': 'Upper' }
    expect(make(known, more)).toMatchObject({ transforms: [{ className: 'my.Upper' }] })
    expect(() => make({ ...known, transforms: 'a,a' }, more)).toThrow('"a" twice')
    expect(() => make({ ...known, 'transforms.a.predicate': 'p' }, more)).toThrow('no predicates')
  })
})

describe('the settings of a task’s clients', () => {
  it('are Kafka’s own, then the worker’s, then the connector’s', () => {
    const given = worker({ 'producer.linger.ms': '7', 'producer.acks': '1' })
    const properties = { ...SOURCE, 'producer.override.linger.ms': '9' }
    expect(producerSettings(given, connector(properties), 2)).toMatchObject({
      'bootstrap.servers': 'localhost:9092',
      'client.id': 'connector-producer-s-2',
      'max.in.flight.requests.per.connection': '1',
      'delivery.timeout.ms': '2147483647',
      'linger.ms': '9',
      acks: '1',
    })
    expect(consumerSettings(worker(), connector(SINK), 0)).toMatchObject({
      'group.id': 'connect-k',
      'enable.auto.commit': 'false',
      'auto.offset.reset': 'earliest',
    })
    expect(workerAdminSettings(worker({ 'retry.backoff.ms': '5' }))).toEqual({
      'bootstrap.servers': 'localhost:9092',
      'client.id': 'connect-standalone',
      'retry.backoff.ms': '5',
    })
  })

  it('may be overridden as far as the policy goes', () => {
    const check = (policy: string, name: string): void =>
      checkOverrides(
        worker({
          'connector.client.config.override.policy': policy,
          'connector.client.config.override.allowlist': 'linger.ms',
        }),
        connector({ ...SOURCE, [`producer.override.${name}`]: '1' }),
      )
    check('All', 'acks')
    check('Principal', 'sasl.mechanism')
    check('Allowlist', 'linger.ms')
    expect(() => check('None', 'acks')).toThrow('does not allow producer.override.acks')
    expect(() => check('Principal', 'acks')).toThrow('policy Principal')
    expect(() => check('Allowlist', 'acks')).toThrow('policy Allowlist')
    expect(() => check('Some', 'acks')).toThrow('expected All, None, Principal or Allowlist')
  })
})
