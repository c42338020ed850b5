import { createHash, createHmac } from 'node:crypto'
import assertModule from 'node:assert'
import { EventEmitter } from 'node:events'
import { isIP } from 'node:net'
import util from 'node:util'
import zlib from 'node:zlib'
import type { Timer } from '../../ports/clock.ts'
import type { NodePorts } from '../../ports/ports.ts'
import type { SandboxNames } from './commonjs-package.ts'
import { PortSocket } from './port-socket.ts'

/** A program that asks for a timer in the past would spin through virtual time a millisecond a turn. */
const NEGATIVE_DELAY_MS = 50
const UINT32 = 2 ** 32

export const SANDBOX_GLOBALS = [
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'setImmediate',
  'clearImmediate',
  'Date',
  'Math',
  'process',
  'performance',
  'crypto',
  'console',
  'global',
  'globalThis',
] as const

type Callback = (...values: unknown[]) => void

/** What `setTimeout` returns in Node: an object, which may be asked not to keep the process alive. */
class SandboxTimer {
  timer: Timer | null = null

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  hasRef(): boolean {
    return true
  }
}

/**
 * The world as one life of a client program sees it: time, timers, chance and sockets are those of its node,
 * compression and hashing are the real ones made synchronous (Node would do them on threads whose order is
 * not ours). Timers end with the life, since the clock does.
 */
export function sandboxNames(ports: NodePorts): SandboxNames {
  const crypto = cryptoOf(ports)
  const globals: Record<string, unknown> = {
    ...timersOf(ports),
    Date: dateOf(ports),
    Math: mathOf(ports),
    process: processOf(ports),
    performance: { now: () => ports.clock.monoMs() },
    crypto,
    console: { log: ignore, info: ignore, warn: ignore, error: ignore, debug: ignore },
  }
  const global = { ...globals, Buffer }
  return {
    globals: { ...globals, global, globalThis: global },
    modules: {
      assert: assertModule,
      crypto,
      events: EventEmitter,
      net: {
        isIP,
        connect: (options: object, onConnect: () => void) => connect(ports, options, onConnect),
      },
      tls: { connect: refuseTls },
      util,
      zlib: zlibOf(),
    },
  }
}

function timersOf({ clock }: NodePorts): Record<string, unknown> {
  const arm = (handle: SandboxTimer, tag: string, delayMs: number, fn: () => void): void => {
    handle.timer = clock.after(delayMs, tag, fn)
  }
  const clear = (handle: unknown): void => {
    if (!(handle instanceof SandboxTimer) || handle.timer === null) return
    clock.cancel(handle.timer)
    handle.timer = null
  }
  return {
    setTimeout: (fn: Callback, delayMs?: number, ...values: unknown[]) => {
      const handle = new SandboxTimer()
      arm(handle, 'sandbox.timeout', delayOf(delayMs), () => fn(...values))
      return handle
    },
    setInterval: (fn: Callback, delayMs?: number, ...values: unknown[]) => {
      const handle = new SandboxTimer()
      const again = (): void =>
        arm(handle, 'sandbox.interval', delayOf(delayMs), () => {
          again()
          fn(...values)
        })
      again()
      return handle
    },
    setImmediate: (fn: Callback, ...values: unknown[]) => {
      const handle = new SandboxTimer()
      arm(handle, 'sandbox.immediate', 0, () => fn(...values))
      return handle
    },
    clearTimeout: clear,
    clearInterval: clear,
    clearImmediate: clear,
  }
}

/** As Node has it: whole milliseconds, at least one. */
function delayOf(delayMs: number | undefined): number {
  if (delayMs !== undefined && delayMs < 0) return NEGATIVE_DELAY_MS
  return Math.max(1, Math.trunc(delayMs ?? 0) || 1)
}

function dateOf({ clock }: NodePorts): unknown {
  return new Proxy(Date, {
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [clock.wallMs()] : args, newTarget) as object,
    get: (target, name, receiver) =>
      name === 'now' ? () => clock.wallMs() : (Reflect.get(target, name, receiver) as unknown),
  })
}

function mathOf({ random }: NodePorts): unknown {
  const stream = random.fork('sandbox math')
  return Object.assign(Object.create(Math) as object, { random: () => stream.u32() / UINT32 })
}

function processOf({ clock }: NodePorts): unknown {
  const hrtime = (since?: readonly [number, number]): [number, number] => {
    const nowMs = clock.monoMs()
    const seconds = Math.floor(nowMs / 1000)
    const nanos = Math.round((nowMs - seconds * 1000) * 1_000_000)
    if (since === undefined) return [seconds, nanos]
    const borrow = nanos < since[1] ? 1 : 0
    return [seconds - since[0] - borrow, nanos - since[1] + borrow * 1_000_000_000]
  }
  return {
    env: {},
    platform: 'linux',
    version: 'v22.0.0',
    hrtime: Object.assign(hrtime, {
      bigint: () => BigInt(Math.round(clock.monoMs() * 1000)) * 1000n,
    }),
    nextTick: (fn: Callback, ...values: unknown[]) => process.nextTick(fn, ...values),
    emitWarning: ignore,
    on: ignore,
  }
}

function cryptoOf({ random }: NodePorts): object {
  const stream = random.fork('sandbox crypto')
  return {
    createHash,
    createHmac,
    randomBytes: (count: number) => stream.bytes(count),
    getRandomValues: (target: Uint8Array) => {
      target.set(stream.bytes(target.length))
      return target
    },
  }
}

type ZlibDone = (error: Error | null, bytes?: Buffer) => void

function zlibOf(): object {
  const later =
    (work: (bytes: Uint8Array) => Buffer) =>
    (bytes: Uint8Array, done: ZlibDone): void => {
      process.nextTick(() => {
        try {
          done(null, work(bytes))
        } catch (error) {
          done(error instanceof Error ? error : new Error('zlib failed'))
        }
      })
    }
  return {
    gzip: later((bytes) => zlib.gzipSync(bytes)),
    gunzip: later((bytes) => zlib.gunzipSync(bytes)),
    unzip: later((bytes) => zlib.unzipSync(bytes)),
  }
}

function connect(ports: NodePorts, options: object, onConnect: () => void): PortSocket {
  const { host, port } = options as { host: string; port: number }
  return new PortSocket(ports, { host, port }, onConnect)
}

function refuseTls(): never {
  throw new Error('the sandbox has no TLS')
}

function ignore(): void {
  // What a program prints is nobody's evidence.
}
