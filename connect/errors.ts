import { KafketteError } from '../src/base/errors.ts'

/** What a connector, converter or transform reports as wrong (Java's ConnectException). The task fails. */
export class ConnectError extends KafketteError {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super('CONNECT', message, options)
  }
}

/** May go well when it is tried again (Java's RetriableException): the worker tries it again. */
export class RetriableConnectError extends KafketteError {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super('CONNECT_RETRIABLE', message, options)
  }
}

/** Data that does not fit its schema, or bytes that a converter cannot read (Java's DataException). */
export class DataError extends KafketteError {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super('CONNECT_DATA', message, options)
  }
}
