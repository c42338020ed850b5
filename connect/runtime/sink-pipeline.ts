import type { ConsumerRecord } from '../../src/client/index.ts'
import type { SinkRecord } from '../api.ts'
import { NULL_VALUE, type SchemaAndValue } from '../data/value.ts'
import type { Stage } from './stages.ts'
import type { TaskOptions } from './task-options.ts'

/** A consumed record on its way to a sink. */
export interface SinkWork {
  readonly raw: ConsumerRecord
  key: SchemaAndValue
  value: SchemaAndValue
  headers: SinkRecord['headers']
  /** Set once the bytes were read. */
  record: SinkRecord | null
}

const NO_HEADERS: SinkRecord['headers'] = []

export function sinkWork(raw: ConsumerRecord): SinkWork {
  return { raw, key: NULL_VALUE, value: NULL_VALUE, headers: NO_HEADERS, record: null }
}

export function describeSinkWork({ raw }: SinkWork): string {
  return `the record of topic "${raw.topic}", partition ${raw.partition}, offset ${raw.offset}`
}

/** Key, value and headers from bytes, then the transforms in their order: Kafka's order. */
export function sinkStages(
  options: Pick<TaskOptions, 'transforms' | 'keyConverter' | 'valueConverter' | 'headerConverter'>,
): readonly Stage<SinkWork>[] {
  const { keyConverter, valueConverter, headerConverter } = options
  const transforms = options.transforms.map(({ className, it }): Stage<SinkWork> => ({
    name: 'TRANSFORMATION',
    className,
    apply: (work) => {
      work.record = it.apply(work.record ?? assemble(work))
      return work.record !== null
    },
  }))
  return [
    {
      name: 'KEY_CONVERTER',
      className: keyConverter.className,
      apply: (work) => {
        work.key = keyConverter.it.toConnectData(work.raw.topic, work.raw.key)
        return true
      },
    },
    {
      name: 'VALUE_CONVERTER',
      className: valueConverter.className,
      apply: (work) => {
        work.value = valueConverter.it.toConnectData(work.raw.topic, work.raw.value)
        return true
      },
    },
    {
      name: 'HEADER_CONVERTER',
      className: headerConverter.className,
      apply: (work) => {
        const { topic, headers } = work.raw
        if (headers.length > 0) {
          work.headers = headers.map(({ key, value }) => ({
            key,
            ...headerConverter.it.toConnectHeader(topic, key, value),
          }))
        }
        work.record = assemble(work)
        return true
      },
    },
    ...transforms,
  ]
}

function assemble({ raw, key, value, headers }: SinkWork): SinkRecord {
  return {
    topic: raw.topic,
    kafkaPartition: raw.partition,
    keySchema: key.schema,
    key: key.value,
    valueSchema: value.schema,
    value: value.value,
    timestampMs: raw.timestampMs < 0 ? null : raw.timestampMs,
    timestampType: raw.timestampType,
    headers,
    originalTopic: raw.topic,
    originalPartition: raw.partition,
    offset: raw.offset,
  }
}
