import { ALL, NOWHERE, probesOf, type EventProbe } from './event-probe.ts'

const network = probesOf('network', ALL)

/** What happens on connections. */
export const NETWORK_PROBES: readonly EventProbe[] = [
  network(
    'answer-dropped',
    'connection.answer-dropped',
    'a request was carried out after its connection was gone',
  ),
  network('client-disconnected', 'client.disconnected', 'a client lost a connection'),
  network('client-connected', 'client.connected', 'a client was connected'),
  network(
    'client-rebootstrapped',
    'client.rebootstrapped',
    'a client had lost all brokers that it knew',
    undefined,
    NOWHERE,
  ),
  network(
    'connection-refused',
    'connection.refused',
    'a broker dropped a connection for what came on it',
    undefined,
    NOWHERE,
  ),
]
