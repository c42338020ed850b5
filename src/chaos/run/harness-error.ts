import { KafketteError, messageOf } from '../../base/errors.ts'

/** Something that the harness itself did wrong: says nothing about the system under test. */
export class HarnessError extends KafketteError {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super('HARNESS', message, options)
  }
}

/** Runs the harness's own code in the middle of a node's step, so that its mistakes are not taken for the node's. */
export function asHarness<T>(fn: () => T): T {
  try {
    return fn()
  } catch (error) {
    if (error instanceof HarnessError) throw error
    throw new HarnessError(messageOf(error), { cause: error })
  }
}
