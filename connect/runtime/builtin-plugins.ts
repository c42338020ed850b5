import type { Plugin } from '../api.ts'
import { fileStreamSinkPlugin } from '../connectors/file-stream-sink.ts'
import { fileStreamSourcePlugin } from '../connectors/file-stream-source.ts'
import { binaryConverterPlugins } from '../converters/binary-converters.ts'
import { jsonConverterPlugin } from '../converters/json-converter.ts'
import { simpleHeaderConverterPlugin } from '../converters/simple-header-converter.ts'
import { stringConverterPlugin } from '../converters/string-converter.ts'

/** Everything that comes with the worker. */
export const builtinPlugins: readonly Plugin[] = [
  fileStreamSourcePlugin,
  fileStreamSinkPlugin,
  jsonConverterPlugin,
  stringConverterPlugin,
  ...binaryConverterPlugins,
  simpleHeaderConverterPlugin,
]
