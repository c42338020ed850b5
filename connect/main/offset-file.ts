import { access, constants, open, readFile, realpath, rename, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { messageOf } from '../../src/base/errors.ts'
import type { SourceMap } from '../api.ts'
import {
  isJsonArray,
  isJsonObject,
  jsonText,
  parseJson,
  type Json,
} from '../converters/json-text.ts'
import { ConnectError } from '../errors.ts'
import { sourceKey, type OffsetStore, type SourceOffset } from '../runtime/offset-store.ts'

const FORMAT = 'kafkette-connect-offsets'
const VERSION = 1
/** The first bytes of a serialised Java object. */
const JAVA_MAGIC = Buffer.from([0xac, 0xed, 0x00, 0x05])

/**
 * The source offsets of a standalone worker in the file of `offset.storage.file.filename`, as JSON text:
 * `{"format":"kafkette-connect-offsets","version":1,"offsets":[{"connector","partition","offset"}]}`.
 * It is replaced as a whole at each write, so it is always either the old one or the new one. The file of a Java
 * worker, a serialised HashMap, is refused and left alone.
 */
export class OffsetFile implements OffsetStore {
  readonly #given: string
  /** The file itself, when the given path is a link to it. */
  #path: string
  readonly #offsets = new Map<string, SourceOffset>()
  #last: Promise<void> = Promise.resolve()

  constructor(path: string) {
    this.#given = resolve(path)
    this.#path = this.#given
  }

  async open(): Promise<void> {
    const bytes = await this.#bytes()
    this.#offsets.clear()
    if (bytes.length === 0) return
    if (bytes.subarray(0, JAVA_MAGIC.length).equals(JAVA_MAGIC)) {
      throw this.#problem(
        'it was written by a Java worker, whose format is not read; name another file',
      )
    }
    for (const offset of this.#parse(bytes)) {
      this.#offsets.set(sourceKey(offset.connector, offset.partition), offset)
    }
  }

  read(connector: string, partition: SourceMap): SourceMap | null {
    return this.#offsets.get(sourceKey(connector, partition))?.offset ?? null
  }

  /** One write after the other; each has everything that was given before it. */
  write(offsets: readonly SourceOffset[]): Promise<void> {
    for (const offset of offsets) {
      const key = sourceKey(offset.connector, offset.partition)
      if (offset.offset === null) this.#offsets.delete(key)
      else this.#offsets.set(key, offset)
    }
    const written = this.#last.then(() => this.#replace())
    this.#last = written.catch(() => undefined)
    return written
  }

  close(): Promise<void> {
    return this.#last
  }

  async #bytes(): Promise<Buffer> {
    try {
      const { found, path } = await find(this.#given)
      this.#path = path
      await access(dirname(path), constants.W_OK)
      return found ? await readFile(path) : Buffer.alloc(0)
    } catch (error) {
      throw this.#problem(messageOf(error))
    }
  }

  #parse(bytes: Buffer): readonly SourceOffset[] {
    let json: Json
    try {
      json = parseJson(bytes)
    } catch (error) {
      throw this.#problem(messageOf(error))
    }
    if (!isJsonObject(json) || json.format !== FORMAT || !isJsonArray(json.offsets)) {
      throw this.#problem(`it is no offset file of this worker ("format":"${FORMAT}" is missing)`)
    }
    if (json.version !== VERSION) {
      throw this.#problem(`it has version ${jsonText(json.version ?? null)}, expected ${VERSION}`)
    }
    return json.offsets.map((entry) => {
      if (isOffset(entry)) return entry
      throw this.#problem(`it has an entry that is no offset: ${jsonText(entry).slice(0, 100)}`)
    })
  }

  async #replace(): Promise<void> {
    const lines = [...this.#offsets.values()].map(({ connector, partition, offset }) =>
      jsonText({ connector, partition, offset }),
    )
    const head = `{"format":"${FORMAT}","version":${VERSION},"offsets":[`
    const temporary = `${this.#path}.tmp`
    const file = await open(temporary, 'w')
    try {
      await file.writeFile(`${head}\n${lines.join(',\n')}\n]}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, this.#path)
    await syncDirectory(dirname(this.#path))
  }

  #problem(why: string): ConnectError {
    return new ConnectError(`offset.storage.file.filename ${this.#given} cannot be used: ${why}`)
  }
}

async function find(given: string): Promise<{ readonly found: boolean; readonly path: string }> {
  try {
    const path = await realpath(given)
    if (!(await stat(path)).isFile()) throw new ConnectError('it is no regular file')
    return { found: true, path }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return { found: false, path: given }
  }
}

/** Makes the rename durable. Not every file system lets a directory be synced. */
async function syncDirectory(path: string): Promise<void> {
  try {
    const directory = await open(path, 'r')
    await directory.sync().finally(() => directory.close())
  } catch {
    // The new file is in place; only a power cut right now could bring back the old one.
  }
}

function isOffset(json: Json): json is Json & SourceOffset {
  return (
    isJsonObject(json) &&
    typeof json.connector === 'string' &&
    isFlat(json.partition) &&
    isFlat(json.offset)
  )
}

function isFlat(json: Json | undefined): boolean {
  if (!isJsonObject(json)) return false
  return Object.values(json).every((value) => value === null || typeof value !== 'object')
}
