import type { ErrorCode } from '../../src/wire/error-codes.ts'
import type { Reply } from './outcome.ts'

/** How a request is answered. */
export interface Responder<Answer> {
  respond(answer: Answer): void
  /** The request's own form of an error. */
  onError(error: ErrorCode): Answer
}

/** An answer that is decided and leaves when what it saw is committed, or an error that leaves at once. */
export interface DecidedAnswer {
  readonly isError: boolean
  deliver(): void
  /** Tells the client an error instead, because the commit did not come. */
  deliverError(error: ErrorCode): void
}

/** A request that is still owed an answer. */
export interface OpenReply {
  /** Answers now, whatever was decided before: the shard is gone. */
  abort(error: ErrorCode): void
}

/** One request that waits for its answer; the shard host keeps the set of those that are open. */
export class PendingReply<Answer> implements Reply<Answer>, OpenReply {
  readonly #responder: Responder<Answer>
  readonly #open: Set<OpenReply>
  readonly #decide: (answer: DecidedAnswer) => void
  #isDecided = false

  /** Joins `open` until it has answered; `decide` takes the answer for the end of the step. */
  constructor(
    responder: Responder<Answer>,
    open: Set<OpenReply>,
    decide: (answer: DecidedAnswer) => void,
  ) {
    this.#responder = responder
    this.#open = open
    this.#decide = decide
    open.add(this)
  }

  send(answer: Answer): void {
    this.#decideOnce(answer, false)
  }

  fail(error: ErrorCode): void {
    this.#decideOnce(this.#responder.onError(error), true)
  }

  /** Answers in this very step; what the answer says does not depend on the log. */
  sendNow(answer: Answer): void {
    this.#isDecided = true
    this.#deliver(answer)
  }

  abort(error: ErrorCode): void {
    this.#isDecided = true
    this.#deliver(this.#responder.onError(error))
  }

  #decideOnce(answer: Answer, isError: boolean): void {
    if (this.#isDecided) return
    this.#isDecided = true
    this.#decide({
      isError,
      deliver: () => this.#deliver(answer),
      deliverError: (error) => this.#deliver(this.#responder.onError(error)),
    })
  }

  #deliver(answer: Answer): void {
    if (this.#open.delete(this)) this.#responder.respond(answer)
  }
}
