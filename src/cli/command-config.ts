import { readFileSync } from 'node:fs'
import { parse } from 'dot-properties'
import { messageOf } from '../base/errors.ts'
import type { Properties } from '../client/index.ts'
import type { ParsedOptions } from './options/option-parser.ts'
import type { Connection } from './tool-admin.ts'
import { ToolError } from './tool-errors.ts'

/**
 * A properties file, read as Kafka's tools read it. Throws `ToolError` with the path as its message when there is no
 * such file.
 */
export function readProperties(path: string): Properties {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') throw new ToolError(path, 'java.nio.file.NoSuchFileException')
    if (code === 'EACCES') throw new ToolError(path, 'java.nio.file.AccessDeniedException')
    if (code === 'EISDIR') throw new ToolError('Is a directory', 'java.io.IOException')
    throw new ToolError(messageOf(error), 'java.io.IOException')
  }
  return parse(text) as Properties
}

/** `--bootstrap-server` and `--command-config`, which nearly every tool has. */
export function brokersOf(options: ParsedOptions): Connection {
  const file = options.value('command-config')
  return {
    to: 'brokers',
    servers: options.value('bootstrap-server') ?? '',
    properties: file === null ? {} : readProperties(file),
  }
}

/** A file's text. Throws `ToolError` with the words of Kafka's tools. */
export function readTextFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ToolError(`Unable to read file ${path}`, 'java.io.IOException', { cause: error })
  }
}
