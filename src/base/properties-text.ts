import { parseLines } from 'dot-properties'

/** Settings of a Java properties file; the last of several lines for one name counts. */
export function parsePropertiesText(text: string): Readonly<Record<string, string>> {
  const settings = new Map<string, string>()
  for (const line of parseLines(text)) {
    if (Array.isArray(line)) settings.set(line[0] ?? '', line[1] ?? '')
  }
  return Object.fromEntries(settings)
}

/** UTF-8, or what Java always takes, ISO 8859-1, when the bytes are no UTF-8. */
export function propertiesTextOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return bytes.toString('latin1')
  }
}
