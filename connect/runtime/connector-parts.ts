import { ConfigError } from '../../src/base/errors.ts'
import type { Converter, HeaderConverter, Properties, Transform } from '../api.ts'
import { withPrefix } from '../plugin-facts.ts'
import type { ConnectorConfig } from './connector-config.ts'
import type { Plugins } from './plugins.ts'
import type { Named } from './task-options.ts'
import type { WorkerConfig } from './worker-config.ts'

type ConverterSetting = 'key.converter' | 'value.converter' | 'header.converter'

/** What every task of a connector has of its own: converters and transforms. */
export interface ConnectorParts {
  readonly keyConverter: Named<Converter>
  readonly valueConverter: Named<Converter>
  readonly headerConverter: Named<HeaderConverter>
  readonly transforms: readonly Named<Transform>[]
}

/** Makes the converters (the connector's, else the worker's) and transforms of one task. Throws `ConfigError`. */
export function parts(
  worker: WorkerConfig,
  connector: ConnectorConfig,
  plugins: Plugins,
): ConnectorParts {
  const { properties } = connector
  return {
    keyConverter: converterOf(worker, properties, plugins, 'key.converter'),
    valueConverter: converterOf(worker, properties, plugins, 'value.converter'),
    headerConverter: headerConverterOf(worker, properties, plugins),
    transforms: connector.config.list('transforms').map((alias, index, all) => {
      if (all.indexOf(alias) !== index) throw new ConfigError(`transforms has "${alias}" twice`)
      return transformOf(alias, properties, plugins)
    }),
  }
}

/** Finds and makes the worker's own converters, so that a wrong name stops the worker before anything runs. */
export function checkConverters(worker: WorkerConfig, plugins: Plugins): void {
  converterOf(worker, {}, plugins, 'key.converter')
  converterOf(worker, {}, plugins, 'value.converter')
  headerConverterOf(worker, {}, plugins)
}

function converterOf(
  worker: WorkerConfig,
  connector: Properties,
  plugins: Plugins,
  name: ConverterSetting,
): Named<Converter> {
  const { className, settings } = chosen(worker, connector, name)
  const plugin = plugins.find(['converter'], className, name)
  const use = name === 'key.converter' ? 'key' : 'value'
  return { className: plugin.className, it: named(name, () => plugin.create(settings, use)) }
}

function headerConverterOf(
  worker: WorkerConfig,
  connector: Properties,
  plugins: Plugins,
): Named<HeaderConverter> {
  const name = 'header.converter'
  const { className, settings } = chosen(worker, connector, name)
  const plugin = plugins.find(['header-converter', 'converter'], className, name)
  const it = named(name, () => plugin.create(settings, 'header'))
  return { className: plugin.className, it }
}

/** A connector that names a converter gets none of the worker's settings for it. */
function chosen(
  worker: WorkerConfig,
  connector: Properties,
  name: ConverterSetting,
): { readonly className: string; readonly settings: Properties } {
  const own = (connector[name] ?? '').trim()
  return own === ''
    ? { className: worker.config.string(name), settings: withPrefix(worker.properties, `${name}.`) }
    : { className: own, settings: withPrefix(connector, `${name}.`) }
}

function transformOf(alias: string, properties: Properties, plugins: Plugins): Named<Transform> {
  const prefix = `transforms.${alias}.`
  const { type, predicate, ...settings } = withPrefix(properties, prefix)
  if (type === undefined)
    throw new ConfigError(`transforms has "${alias}", but ${prefix}type is missing`)
  if (predicate !== undefined) {
    throw new ConfigError(`${prefix}predicate is set, but this version has no predicates yet`)
  }
  const plugin = plugins.find(['transform'], type.trim(), `${prefix}type`)
  return { className: plugin.className, it: named(alias, () => plugin.create(settings)) }
}

/** A wrong setting inside a part is named with the part. */
function named<T>(name: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(`${name}: ${error.message}`)
    throw error
  }
}
