import type { ProducerHeader } from '../../src/client/index.ts'
import type { SourceRecord } from '../api.ts'
import type { Stage } from './stages.ts'
import type { TaskOptions } from './task-options.ts'

/** A source record on its way to bytes. */
export interface SourceWork {
  /** As it is now; transforms replace it. */
  record: SourceRecord
  headers: readonly ProducerHeader[]
  key: Buffer | null
  value: Buffer | null
}

const NO_HEADERS: readonly ProducerHeader[] = []

export function sourceWork(record: SourceRecord): SourceWork {
  return { record, headers: NO_HEADERS, key: null, value: null }
}

export function describeSourceWork({ record }: SourceWork): string {
  return `the record of ${JSON.stringify(record.sourceOffset, plain)} for topic "${record.topic}"`
}

/** Transforms in their order, then headers, key and value to bytes: Kafka's order. */
export function sourceStages(
  options: Pick<TaskOptions, 'transforms' | 'keyConverter' | 'valueConverter' | 'headerConverter'>,
): readonly Stage<SourceWork>[] {
  const { keyConverter, valueConverter, headerConverter } = options
  const transforms = options.transforms.map(({ className, it }): Stage<SourceWork> => ({
    name: 'TRANSFORMATION',
    className,
    apply: (work) => {
      const changed = it.apply(work.record)
      if (changed === null) return false
      work.record = changed
      return true
    },
  }))
  return [
    ...transforms,
    {
      name: 'HEADER_CONVERTER',
      className: headerConverter.className,
      apply: (work) => {
        const { topic, headers } = work.record
        if (headers.length === 0) return true
        work.headers = headers.map(({ key, schema, value }) => ({
          key,
          value: headerConverter.it.fromConnectHeader(topic, key, schema, value),
        }))
        return true
      },
    },
    {
      name: 'KEY_CONVERTER',
      className: keyConverter.className,
      apply: (work) => {
        const { topic, keySchema, key } = work.record
        work.key = keyConverter.it.fromConnectData(topic, keySchema, key)
        return true
      },
    },
    {
      name: 'VALUE_CONVERTER',
      className: valueConverter.className,
      apply: (work) => {
        const { topic, valueSchema, value } = work.record
        work.value = valueConverter.it.fromConnectData(topic, valueSchema, value)
        return true
      },
    },
  ]
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
