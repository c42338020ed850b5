export interface Address {
  readonly host: string
  readonly port: number
}

/** What the owner of a connection does with it. None of these is called from inside `connect` or `write`. */
export interface ConnectionHandler {
  /** The connection is established (called for outgoing connections only). */
  onOpen?(): void
  /** Bytes in the order they were sent, cut anywhere. The buffer belongs to the receiver. */
  onData(bytes: Buffer): void
  /** The write buffer has emptied after `write` returned false. */
  onDrain?(): void
  /**
   * Called exactly once at the end. `error` says why, unless either side closed the connection in order or
   * this side destroyed it.
   */
  onClose(error: Error | null): void
}

/** One ordered byte stream. Bytes arrive in order within a connection; nothing is promised across two. */
export interface Connection {
  readonly local: Address
  readonly remote: Address
  /**
   * Queues the chunks; they must not be changed afterwards. False asks the caller to wait for `onDrain`, or
   * says that the connection has ended.
   */
  write(chunks: readonly Uint8Array[]): boolean
  /** Stops (resumes) delivery of `onData`, which in time stops the sender. */
  pauseReading(): void
  resumeReading(): void
  /** Sends what is queued, then ends the stream. Nothing is delivered to this side any more but `onClose`. */
  close(): void
  /** Drops the connection at once; queued bytes may be lost, and the other side sees an error. */
  destroy(): void
}

export interface Listener {
  /** The address actually bound (the port is never 0). */
  readonly address: Address
  /** Stops accepting; connections stay open. */
  close(done: () => void): void
}

export interface Network {
  /**
   * Port 0 asks for any free port. `accept` gives the handler of each new connection. `done` is called later;
   * the message of its error contains EADDRINUSE when the address is taken.
   */
  listen(
    address: Address,
    accept: (connection: Connection) => ConnectionHandler,
    done: (error: Error | null, listener: Listener | null) => void,
  ): void
  /** A failure to connect arrives as `onClose(error)` without `onOpen`. */
  connect(address: Address, handler: ConnectionHandler): Connection
}
