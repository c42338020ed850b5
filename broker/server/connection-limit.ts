const MAPPED_IPV4 = '::ffff:'

/**
 * How many connections one address may have: max.connections.per.ip, unless max.connections.per.ip.overrides
 * (`address:count,...`) names the address. Host names in the overrides are not looked up.
 */
export function connectionLimitOf(host: string, perAddress: number, overrides: string): number {
  const address = host.startsWith(MAPPED_IPV4) ? host.slice(MAPPED_IPV4.length) : host
  for (const entry of overrides.split(',')) {
    const at = entry.lastIndexOf(':')
    if (at > 0 && entry.slice(0, at).trim() === address) return Number(entry.slice(at + 1))
  }
  return perAddress
}
