import { StringDecoder } from 'node:string_decoder'
import type { ProducerHeader, ProducerRecord, Properties } from '../../client/index.ts'
import { ToolError } from '../tool-errors.ts'

const KAFKA_EXCEPTION = 'org.apache.kafka.common.KafkaException'

/** How a line becomes a record; the properties of Kafka's LineMessageReader. */
export interface LineFormat {
  readonly parseKey: boolean
  readonly keySeparator: string
  readonly parseHeaders: boolean
  readonly headersDelimiter: string
  readonly headersSeparator: string
  readonly headersKeySeparator: string
  readonly ignoreError: boolean
  readonly nullMarker: string | null
}

/** Throws `ToolError` when two separators cannot be told apart. */
export function lineFormat(properties: Properties): LineFormat {
  const text = (name: string, otherwise: string): string => properties[name] ?? otherwise
  const isOn = (name: string): boolean => properties[name]?.trim().toLowerCase() === 'true'
  const format = {
    parseKey: isOn('parse.key'),
    keySeparator: text('key.separator', '\t'),
    parseHeaders: isOn('parse.headers'),
    headersDelimiter: text('headers.delimiter', '\t'),
    headersSeparator: text('headers.separator', ','),
    headersKeySeparator: text('headers.key.separator', ':'),
    ignoreError: isOn('ignore.error'),
    nullMarker: properties['null.marker'] ?? null,
  }
  refuseEqual(format)
  return format
}

function refuseEqual(format: LineFormat): void {
  const { keySeparator, headersDelimiter, headersSeparator, headersKeySeparator } = format
  const pairs = [
    ['headers.delimiter', headersDelimiter, 'headers.separator', headersSeparator],
    ['headers.delimiter', headersDelimiter, 'headers.key.separator', headersKeySeparator],
    ['headers.separator', headersSeparator, 'headers.key.separator', headersKeySeparator],
    ['null.marker', format.nullMarker, 'key.separator', keySeparator],
    ['null.marker', format.nullMarker, 'headers.separator', headersSeparator],
    ['null.marker', format.nullMarker, 'headers.delimiter', headersDelimiter],
    ['null.marker', format.nullMarker, 'headers.key.separator', headersKeySeparator],
  ] as const
  for (const [oneName, one, otherName, other] of pairs) {
    if (one === other) throw problem(`${oneName} and ${otherName} may not be equal`)
  }
}

/** The record of one line. `lineNumber` counts from 1. Throws `ToolError` for a line without a separator. */
export function recordOfLine(
  format: LineFormat,
  topic: string,
  line: string,
  lineNumber: number,
): ProducerRecord {
  const cut = (isOn: boolean, start: number, separator: string, name: string): string | null => {
    if (!isOn) return null
    const at = line.indexOf(separator, start)
    if (at >= 0) return line.slice(start, at)
    if (format.ignoreError) return null
    throw problem(`No ${name} found on line number ${lineNumber}: '${line}'`)
  }
  const { headersDelimiter, keySeparator } = format
  const headers = cut(format.parseHeaders, 0, headersDelimiter, 'headers delimiter')
  const keyStart = headers === null ? 0 : headers.length + headersDelimiter.length
  const key = cut(format.parseKey, keyStart, keySeparator, 'key separator')
  const valueStart = keyStart + (key === null ? 0 : key.length + keySeparator.length)
  return {
    topic,
    key: unlessMarker(format, key),
    value: unlessMarker(format, line.slice(valueStart)),
    headers:
      headers === null || headers === format.nullMarker
        ? []
        : headersOf(format, headers, lineNumber),
  }
}

function headersOf(format: LineFormat, text: string, lineNumber: number): ProducerHeader[] {
  const { headersSeparator, headersKeySeparator, nullMarker } = format
  // Java splits by the separator as a regular expression and drops empty parts at the end.
  const pairs = text.split(new RegExp(headersSeparator))
  while (pairs.length > 1 && pairs.at(-1) === '') pairs.pop()
  return pairs.map((pair) => {
    const at = pair.indexOf(headersKeySeparator)
    if (at < 0) {
      if (format.ignoreError) return { key: pair, value: null }
      throw problem(`No header key separator found in pair '${pair}' on line number ${lineNumber}`)
    }
    const key = pair.slice(0, at)
    if (key === nullMarker) {
      throw problem(
        `Header keys should not be equal to the null marker '${nullMarker}' as they can't be null`,
      )
    }
    return { key, value: unlessMarker(format, pair.slice(at + headersKeySeparator.length)) }
  })
}

function unlessMarker({ nullMarker }: LineFormat, text: string | null): string | null {
  return text === nullMarker ? null : text
}

function problem(message: string): ToolError {
  return new ToolError(message, KAFKA_EXCEPTION)
}

/**
 * The lines of a stream of UTF-8, which end with LF, CR or CRLF; the last one needs no end. A line is given as soon as
 * it is whole, so a CR does not wait for what follows it.
 */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let wasCr = false
  for await (const chunk of chunks) {
    rest += decoder.write(chunk)
    if (wasCr && rest.startsWith('\n')) rest = rest.slice(1)
    if (rest !== '') wasCr = false
    const lines = rest.split(/\r\n|\n|\r/)
    if (rest.endsWith('\r')) wasCr = true
    rest = lines.pop() ?? ''
    yield* lines
  }
  rest += decoder.end()
  if (rest !== '') yield rest
}
