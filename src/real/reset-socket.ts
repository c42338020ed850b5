import type { Socket } from 'node:net'

/**
 * Ends a connection at once, with a reset where the system can send one. It refuses that (EINVAL) while the end of the
 * stream is on its way, and Node then forgets the socket without closing it: the descriptor stays open for good and
 * keeps the process alive. Such a socket is closed instead, and one that is still connecting too.
 */
export function resetSocket(socket: Socket): void {
  const isEnding = socket.writableEnded && !socket.writableFinished
  if (isEnding || socket.connecting) socket.destroy()
  else socket.resetAndDestroy()
}
