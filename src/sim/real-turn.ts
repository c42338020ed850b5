// Taken before a sandbox of a simulated client replaces it by a virtual one.
// oxlint-disable-next-line no-restricted-globals
const setImmediateOfHost = globalThis.setImmediate

/** One turn of the real event loop: all promises and next ticks that are ready have run when it resolves. */
export function realTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediateOfHost(resolve)
  })
}
